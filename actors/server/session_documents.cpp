// The session's part that hands documents to the device.
#include "actors/server/session.hpp"

#include "actors/errc.hpp"
#include "actors/server/convert.hpp"
#include "net/wire/agent.pb.h"

#include <utility>

namespace muster::actors {

/// A newer manifest overtakes the answer to an older one: the agent compares hashes, and asks again.
void session_state::on_documents(const document_manifest& manifest) {
  if (state_ != peer_state::active)
    return;
  if (!link_->try_send(convert::manifest(manifest)))
    end_with({});
}

void session_state::on_documents_request(const wire::agent_message& message) {
  if (std::exchange(fetching_, true))
    return refuse(refusal::protocol, "documents have been asked for already");
  std::string problem;
  auto wishes = convert::document_wishes_of(message.documents_request(), problem);
  if (!wishes)
    return refuse(refusal::protocol, problem);
  self_
    ->request(services_->directory_of(device_), caf::infinite, atom::fetch_v, device_,
              std::make_shared<const document_wishes>(std::move(*wishes)))
    .then(
      [this](const document_parcels_ptr& parcels) {
        fetching_ = false;
        if (state_ != peer_state::active)
          return;
        for (auto& part : convert::document_parts(*parcels)) {
          if (!link_->try_send(std::move(part)))
            return end_with({});
        }
        link_->grant(1);
      },
      [this](const caf::error& why) {
        fetching_ = false;
        if (state_ == peer_state::active)
          send_away("documents: " + text_of(why));
      });
}

} // namespace muster::actors
