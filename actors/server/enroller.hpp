#pragma once
// Gives certificates to newcomers, and keeps the enrolment tokens.

#include "actors/protocol.hpp"
#include "actors/server/enrolment_tokens.hpp"
#include "actors/server/fleet_limits.hpp"
#include "net/certificate.hpp"
#include "storage/generation_cache.hpp"

#include <caf/actor_clock.hpp>
#include <caf/result.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace muster::actors {

struct enroller_options {
  std::vector<enrolment_token> tokens; ///< from load_tokens
  store_writer_actor writer;
  std::vector<store_reader_actor> readers;  ///< not empty
  std::vector<directory_actor> directories; ///< all shards, in order
  event_book_actor event_book;
  std::shared_ptr<const net::certificate_authority> authority;
  wall_clock now;
  std::chrono::seconds certificate_lifetime = net::device_lifetime;
};

/// Cheap refusal first: the source's wrong tokens, then the token (a hash and a look-up), then the
/// request's signatures. A key that has a certificate gets the same one again, whatever became of
/// the token that brought it in; a key that was revoked or removed gets none, ever. Otherwise
/// certificate, device and the token's use are one durable batch, then the directory hears of the
/// device, then the agent gets its answer; wherever that is cut off, a retry ends well.
///
/// A use is reserved before the batch is written and given back when that fails, so a token for one
/// device never brings in two. Bounds: enrolments_max at once, the rest is told to come back.
class enroller_state {
public:
  static inline const char* name = "enroller";

  explicit enroller_state(enroller_actor::pointer self) : self_(self) {}
  ~enroller_state();
  enroller_state(const enroller_state&) = delete;
  enroller_state& operator=(const enroller_state&) = delete;

  enroller_actor::behavior_type make_behavior(enroller_options options);

private:
  using answer_promise = caf::typed_response_promise<enrolment_result_ptr>;
  /// An enrolment being decided; one for each key.
  struct enrolling {
    enrolment_ptr request;
    std::string token_id;
    net::sha256_digest key_sha256{};
    std::optional<net::key_pair> key;
    std::vector<answer_promise> answers;
  };
  using enrolling_ptr = std::shared_ptr<enrolling>;
  struct mistakes {
    caf::actor_clock::time_point since;
    std::uint32_t count = 0;
  };
  struct known_key; ///< what the store has under a key

  caf::result<enrolment_result_ptr> enrol(const enrolment_ptr& request);
  [[nodiscard]] bool is_blocked(const std::string& address);
  void note_mistake(const std::string& address);
  void tell_of_wrong_tokens(const std::string& address);
  [[nodiscard]] enrolment_result_ptr refused(refusal why, std::string text);
  void look_key_up(const enrolling_ptr& one);
  void on_key_looked_up(const enrolling_ptr& one, const known_key& known);
  void issue(const enrolling_ptr& one);
  void tell_directory(const enrolling_ptr& one, const enrolled_device_ptr& device,
                      const enrolment_result_ptr& result);
  void answer(const enrolling_ptr& one, const enrolment_result_ptr& result);
  void fail(const enrolling_ptr& one, const caf::error& why);

  caf::result<token_infos> create(const token_order& order);
  caf::result<bool> revoke(const std::string& id, const audit_entry_ptr& audit);
  [[nodiscard]] std::string status() const;

  enroller_actor::pointer self_;
  enroller_options options_;
  token_book tokens_;
  std::map<net::sha256_digest, enrolling_ptr> enrolling_; ///< by key hash
  std::set<std::string> revoking_; ///< tokens whose revocation is not yet on the disk
  storage::generation_cache<std::string, mistakes> sources_{fleet_limits::sources_max};
  std::optional<caf::actor_clock::time_point> wrong_tokens_told_at_;
  std::uint64_t wrong_tokens_untold_ = 0;
  std::uint64_t enrolled_ = 0;
  std::uint64_t refused_ = 0;
};
static_assert(!std::is_aggregate_v<enroller_state>);

enroller_actor::behavior_type enroller(enroller_actor::stateful_pointer<enroller_state> self,
                                       enroller_options options);

} // namespace muster::actors
