#include "tests/agent/mock_systemd.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace muster::test {

namespace {

void must(int result, const char* what) {
  if (result < 0)
    throw std::runtime_error(std::string{what} + ": error " + std::to_string(-result));
}

std::string path_of(std::size_t index) {
  return "/org/freedesktop/systemd1/unit/u" + std::to_string(index);
}

} // namespace

private_bus::private_bus() {
  const auto config = folder_.path() / "bus.conf";
  std::ofstream{config} << "<busconfig><listen>" << address() << "</listen><auth>EXTERNAL</auth>"
                        << "<policy context=\"default\"><allow send_destination=\"*\"/>"
                        << "<allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>\n";
  daemon_ = std::make_unique<process>(std::vector<std::string>{
    "/usr/bin/dbus-daemon", "--config-file=" + config.string(), "--nofork", "--print-address"});
  if (!daemon_->expect("unix:path="))
    throw std::runtime_error("dbus-daemon does not start: " + daemon_->output());
}

mock_systemd::mock_systemd(const std::string& address, std::vector<mock_unit> units)
  : units_(std::move(units)) {
  must(sd_bus_new(&bus_), "new bus");
  must(sd_bus_set_address(bus_, address.c_str()), "address");
  must(sd_bus_set_bus_client(bus_, 1), "client");
  must(sd_bus_start(bus_), "start");
  must(sd_bus_add_object(bus_, nullptr, "/org/freedesktop/systemd1", on_list, this), "manager");
  must(sd_bus_add_fallback(bus_, nullptr, "/org/freedesktop/systemd1/unit", on_get, this), "units");
  must(sd_bus_request_name(bus_, "org.freedesktop.systemd1", 0), "name");
  wake_ = ::eventfd(0, EFD_CLOEXEC);
  must(wake_, "eventfd");
  thread_ = std::thread{[this] { serve(); }};
}

mock_systemd::~mock_systemd() {
  ended_ = true;
  ::eventfd_write(wake_, 1);
  thread_.join();
  ::close(wake_);
  sd_bus_close_unref(bus_);
}

void mock_systemd::set(std::vector<mock_unit> units) {
  const std::lock_guard guard{mutex_};
  units_ = std::move(units);
}

void mock_systemd::serve() {
  while (!ended_) {
    int did = 1;
    while (did > 0 && !frozen_)
      did = sd_bus_process(bus_, nullptr);
    if (did < 0)
      return;
    // Frozen: only the end wakes us.
    pollfd fds[]{{wake_, POLLIN, 0}, {sd_bus_get_fd(bus_), POLLIN, 0}};
    ::poll(fds, frozen_ ? 1 : 2, -1);
  }
}

int mock_systemd::on_list(sd_bus_message* question, void* self, sd_bus_error*) {
  auto& mock = *static_cast<mock_systemd*>(self);
  if (sd_bus_message_is_method_call(question, "org.freedesktop.systemd1.Manager",
                                    "ListUnitsByPatterns") <= 0)
    return 0;
  ++mock.lists_;
  if (mock.mood_ == mood::ignores_the_list)
    return 1;
  const int sent = mock.list(question);
  if (mock.mood_ == mood::freezes_after_the_list) {
    sd_bus_flush(mock.bus_);
    mock.frozen_ = true;
  }
  return sent;
}

int mock_systemd::list(sd_bus_message* question) {
  const std::lock_guard guard{mutex_};
  sd_bus_message* answer = nullptr;
  must(sd_bus_message_new_method_return(question, &answer), "answer");
  must(sd_bus_message_open_container(answer, 'a', "(ssssssouso)"), "list");
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const auto& u = units_[i];
    must(sd_bus_message_append(answer, "(ssssssouso)", u.name.c_str(), "what it is", u.load.c_str(),
                               u.active.c_str(), u.sub.c_str(), "", path_of(i).c_str(), 0U, "",
                               "/"),
         "unit");
  }
  must(sd_bus_message_close_container(answer), "list");
  const int sent = sd_bus_send(bus_, answer, nullptr);
  sd_bus_message_unref(answer);
  return sent < 0 ? sent : 1;
}

int mock_systemd::on_get(sd_bus_message* question, void* self, sd_bus_error*) {
  if (sd_bus_message_is_method_call(question, "org.freedesktop.DBus.Properties", "Get") <= 0)
    return 0;
  return static_cast<mock_systemd*>(self)->get(question);
}

int mock_systemd::get(sd_bus_message* question) {
  const std::lock_guard guard{mutex_};
  const char* interface = nullptr;
  const char* name = nullptr;
  must(sd_bus_message_read(question, "ss", &interface, &name), "question");
  const std::string path{sd_bus_message_get_path(question)};
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (path != path_of(i))
      continue;
    if (const auto text = units_[i].texts.find(name); text != units_[i].texts.end())
      return sd_bus_reply_method_return(question, "v", "s", text->second.c_str());
    const auto number = units_[i].numbers.find(name);
    if (number == units_[i].numbers.end())
      break;
    const bool small = number->first == "NRestarts" || number->first == "MainPID";
    return small ? sd_bus_reply_method_return(question, "v", "u",
                                              static_cast<std::uint32_t>(number->second))
                 : sd_bus_reply_method_return(question, "v", "t", number->second);
  }
  return sd_bus_reply_method_errorf(question, "org.freedesktop.DBus.Error.UnknownProperty",
                                    "no %s.%s at %s", interface, name, path.c_str());
}

} // namespace muster::test
