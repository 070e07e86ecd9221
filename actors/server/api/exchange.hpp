#pragma once
// One request being answered, and the little that all handlers need: asking actors, asking the
// store, answering once.

#include "actors/errc.hpp"
#include "actors/protocol.hpp"
#include "actors/server/api/call.hpp"
#include "actors/server/api/reply.hpp"
#include "actors/server/console_services.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace muster::actors::api {

/// Made by a console_session for one request; used only inside its actor. Lives in the closures of
/// what is asked, so a session that ends lets go of it.
class exchange : public std::enable_shared_from_this<exchange> {
public:
  console_session_actor::pointer self = nullptr;
  console_services_ptr services;
  server_root_actor root;
  std::shared_ptr<const call> asked;
  console_user user;               ///< no name: nobody had to log in
  std::string source;              ///< address of the peer
  /// What the session does with the answer, and with an event stream.
  std::function<void(net::http::response)> answer;
  std::function<void()> become_stream;

  /// The first answer counts.
  void reply(net::http::response r) {
    if (const auto deliver = std::exchange(answer, nullptr))
      deliver(std::move(r));
  }
  void reply(int status, const google::protobuf::Message& message) {
    reply(api::reply(status, message));
  }

  /// For `.then`: the answer tells what went wrong.
  [[nodiscard]] auto or_fail() {
    return [x = shared_from_this()](const caf::error& why) { x->reply(problem(why)); };
  }

  [[nodiscard]] audit_entry_ptr audit(std::string action, std::string subject,
                                      std::string detail = {}) const {
    return std::make_shared<const audit_entry>(audit_entry{
      user.name, source, std::move(action), std::move(subject), std::move(detail)});
  }

  /// Runs a query on a reader's thread; what it leaves in its second argument is the answer. It
  /// must not hold this object: `asked` is what it may know.
  using query = std::function<std::error_code(const storage::store&, net::http::response&)>;
  void read_and_reply(query what);
  /// The same for a query that is only a part of the answer.
  void read(std::function<std::error_code(const storage::store&)> what,
            std::function<void()> then);
};
using exchange_ptr = std::shared_ptr<exchange>;

/// Several questions at once; `done` runs when the last answer is there and the asker has called
/// arrive() behind his last question.
class gathering : public std::enable_shared_from_this<gathering> {
public:
  explicit gathering(std::function<void()> done) : done_(std::move(done)) {}

  /// `take(answer)` for each; an error is the answer to the whole request.
  template <class Result, class Handle, class Take, class... Args>
  void ask(const exchange_ptr& x, const Handle& whom, Take take, Args&&... args) {
    ++outstanding_;
    x->self->request(whom, caf::infinite, std::forward<Args>(args)...)
      .then(
        [g = shared_from_this(), take = std::move(take)](const Result& result) mutable {
          take(result);
          g->arrive();
        },
        x->or_fail());
  }
  /// For what is asked in another way: announce it, then let it arrive.
  void expect() { ++outstanding_; }
  void arrive() {
    if (--outstanding_ == 0)
      done_();
  }

private:
  std::function<void()> done_;
  std::size_t outstanding_ = 1; ///< one for whoever asks
};

[[nodiscard]] inline std::shared_ptr<gathering> gather(std::function<void()> done) {
  return std::make_shared<gathering>(std::move(done));
}

} // namespace muster::actors::api
