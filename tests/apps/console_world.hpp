#pragma once
// The console without a network and without a person: a server that answers from a script, a
// terminal that remembers what it was shown.

#include "apps/console/console.hpp"
#include "tests/temp_directory.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace muster::test {

class fake_terminal final : public console::terminal {
public:
  void out(const std::string& text) override { printed += text; }
  void err(const std::string& text) override { noted += text; }
  bool is_read() const override { return reads_left != 0; }
  console::style look() const override { return shape; }
  bool shows_to_person() const override { return person; }
  bool can_ask() const override { return person; }
  std::optional<std::string> ask(const std::string& question, bool hidden) override {
    questions.push_back((hidden ? "(hidden) " : "") + question);
    if (answers.empty())
      return std::nullopt;
    auto answer = answers.front();
    answers.pop_front();
    return answer;
  }
  void wait(std::chrono::milliseconds time) override {
    waited.push_back(time);
    if (on_wait)
      on_wait();
  }
  bool shows_progress() const override { return person; }
  void remember_interrupt() override { remembers_interrupt = true; }
  bool interrupted() const override { return remembers_interrupt && interrupt; }

  std::string printed;
  std::string noted;
  console::style shape;
  bool person = false;
  int reads_left = 1;
  std::deque<std::string> answers;
  std::vector<std::string> questions;
  std::vector<std::chrono::milliseconds> waited;
  bool remembers_interrupt = false;
  bool interrupt = false; ///< Ctrl-C was pressed
  std::function<void()> on_wait;
};

/// One live stream: what it says, and how it ends.
struct fake_stream {
  struct item {
    std::string kind;
    std::string data;
  };
  std::vector<item> items;
  bool orderly = true;
  std::string problem;
  std::function<void()> afterwards;
};

class fake_server {
public:
  using handler = std::function<net::http::response(const net::http::request&)>;

  /// What "GET /devices" gives; the last one said holds.
  void on(const std::string& what, int status, const std::string& body) {
    on(what, [=](const net::http::request&) {
      net::http::response r;
      r.status = status;
      r.body = body;
      return r;
    });
  }
  void on(const std::string& what, handler h) { handlers_[what] = std::move(h); }

  net::http::response answer(const net::http::request& r) {
    asked.push_back(r);
    const std::string base = "/api/v1";
    const auto what = r.method + " " + r.path.substr(base.size());
    const auto found = handlers_.find(what);
    if (found != handlers_.end())
      return found->second(r);
    net::http::response none;
    none.status = 404;
    none.body = R"({"title":"Not found","detail":")" + what + R"(","status":404})";
    return none;
  }

  /// The requests to this path, without the base.
  std::vector<net::http::request> to(const std::string& path) const {
    std::vector<net::http::request> found;
    for (const auto& r : asked)
      if (r.path == "/api/v1" + path)
        found.push_back(r);
    return found;
  }

  std::vector<net::http::request> asked;
  std::deque<fake_stream> streams;
  /// Why a connection cannot be made; empty: it can.
  std::string unreachable;
  /// What first contact sees.
  std::string pin;
  std::vector<console::profile> connected_as;

private:
  std::map<std::string, handler> handlers_;
};

class fake_transport final : public console::transport {
public:
  explicit fake_transport(fake_server& server) : server_(server) {}

  std::optional<net::http::response> exchange(const net::http::request& r, std::string&) override {
    return server_.answer(r);
  }

  bool follow(const net::http::request& r, const net::http::event_stream_reader::on_event& tell,
              std::string& problem, std::optional<net::http::response>& instead) override {
    server_.asked.push_back(r);
    if (server_.streams.empty()) {
      instead = server_.answer(r);
      problem = "no stream";
      return false;
    }
    const auto stream = server_.streams.front();
    server_.streams.pop_front();
    for (const auto& item : stream.items)
      if (!tell(item.kind, "", item.data))
        return true;
    if (stream.afterwards)
      stream.afterwards();
    problem = stream.problem;
    return stream.orderly;
  }

private:
  fake_server& server_;
};

/// 2026-11-24 12:00:00 UTC.
inline constexpr console::moment_us noon = 1'795'521'600'000'000;
inline constexpr console::moment_us second = 1'000'000;

/// Logged in as admin unless a test forgets that.
class console_world {
public:
  console_world() {
    console::profile p;
    p.host = "server.example";
    p.pin = std::string(64, 'a');
    p.user = "admin";
    p.token = "the-token";
    p.expires_us = noon + 3600 * second;
    remember(p);
  }

  void remember(const console::profile& p) {
    std::string problem;
    if (!console::save_profile(directory(), p, problem))
      throw std::runtime_error(problem);
  }
  void forget() { std::filesystem::remove_all(directory()); }
  std::optional<console::profile> remembered() {
    std::string problem;
    return console::load_profile(directory(), problem);
  }
  std::filesystem::path directory() const { return scratch_.path() / "config"; }
  std::filesystem::path file(const std::string& name) const { return scratch_.path() / name; }

  int run(const std::vector<std::string>& words) {
    person.printed.clear();
    person.noted.clear();
    console::surroundings around{
      person,
      [this](const console::profile& p, console::first_contact* found,
             std::string& problem) -> std::unique_ptr<console::transport> {
        server.connected_as.push_back(p);
        if (connect)
          return connect(p, found, problem);
        if (!server.unreachable.empty()) {
          problem = server.unreachable;
          return nullptr;
        }
        if (found != nullptr)
          found->pin = server.pin;
        return std::make_unique<fake_transport>(server);
      },
      [this] { return now; }, directory(),
      [this](const char* name) -> std::optional<std::string> {
        const auto at = environment.find(name);
        return at == environment.end() ? std::nullopt : std::optional{at->second};
      }};
    return console::run(around, words);
  }

  fake_terminal person;
  fake_server server;
  console::connector connect; ///< instead of the scripted server
  console::moment_us now = noon;
  std::map<std::string, std::string> environment;

private:
  temp_directory scratch_;
};

} // namespace muster::test
