#include "apps/agent/agent_figures.hpp"

#include "net/wake.hpp"

#include <cstddef>
#include <utility>

namespace muster::agent {

agent_figures::agent_figures(const net::agent_identity& identity, std::string transport,
                             const actors::device_datagrams& datagrams)
  : device_(actors::device_id{identity.device_id}.text()),
    transport_(std::move(transport)),
    certificate_ends_s_(identity.leaf.not_after_s()),
    datagrams_(datagrams) {}

void agent_figures::learn(const actors::server_terms& terms) {
  const std::lock_guard lock(mutex_);
  terms_ = terms;
}

void agent_figures::add_to(actors::local_status& status) const {
  status.device = device_;
  status.transport = transport_;
  status.certificate_ends_s = certificate_ends_s_;
  {
    const std::lock_guard lock(mutex_);
    status.sync_period = terms_.sync_period;
    status.refusal = actors::word_of_refusal(terms_.refusal);
  }
  const auto wakes = datagrams_.figures();
  status.wake_port = wakes.port;
  status.wake_problem = datagrams_.problem();
  status.acknowledgements_refused = datagrams_.acknowledgements_refused();
  for (std::size_t i = 1; i < wakes.by_verdict.size(); ++i)
    if (wakes.by_verdict[i] != 0)
      status.wakes_refused[net::word_of(static_cast<net::wake_verdict>(i))] = wakes.by_verdict[i];
  if (wakes.too_early != 0)
    status.wakes_refused["too early"] = wakes.too_early;
  if (wakes.dropped != 0)
    status.wakes_refused["dropped by the kernel"] = wakes.dropped;
}

} // namespace muster::agent
