#pragma once
// For scenarios in which everybody is away when it begins: each connects once, syncs, learns its
// datagram keys, and goes.

#include "apps/load/troupe.hpp"

namespace muster::load {

class rehearsed_troupe : public troupe {
public:
  using troupe::troupe;

protected:
  /// Everybody is away, known to the server and in possession of tickets and keys.
  virtual void curtain_up() = 0;
  /// From then on.
  virtual void on_stage(player& who, const player_news& what) = 0;
  void after(std::uint64_t ms, std::function<void()> what);

private:
  void enrolled() final;
  void on(player& who, const player_news& what) final;

  std::size_t rehearsed_ = 0;
  bool open_ = false;
};

} // namespace muster::load
