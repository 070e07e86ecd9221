#include "actors/agent/probe/proc_text.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::actors::probe {

namespace {

using namespace std::string_view_literals;

// As a kernel 6.18 writes them.
const std::string shell =
  "10728 (cat) R 10725 10725 7313 0 -1 4194304 100 0 0 0 12 30 0 0 20 0 1 0 168646 "
  "3133440 427 18446744073709551615 94796581388288 94796581408169 140720801510960 0 0 0 "
  "0 0 0 0 0 0 17 0 0 0 0 0 0 94796581424176 94796581425792 94797391912960 "
  "140720801512073 140720801512093 140720801512093 140720801513451 0\n";
const std::string kernel_thread =
  "14 (ksoftirqd/0) S 2 0 0 0 -1 69238848 0 0 0 0 0 1 0 0 20 0 1 0 2 0 0 "
  "18446744073709551615 0 0 0 0 0 0 0 2147483647 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 "
  "0 0 0 0\n";

} // namespace

TEST_CASE("a process tells who it is, whose child, and what it has used") {
  const auto stat = parse_stat(shell);
  REQUIRE(stat);
  CHECK(stat->pid == 10728);
  CHECK(stat->name == "cat");
  CHECK(stat->state == 'R');
  CHECK(stat->parent == 10725);
  CHECK(stat->session == 7313);
  CHECK(stat->terminal == 0);
  CHECK_FALSE(stat->kernel);
  CHECK(stat->cpu_ticks == 42);
  CHECK(stat->start_ticks == 168646);
  CHECK(stat->resident_pages == 427);
}

TEST_CASE("a thread of the kernel is told by its flag") {
  const auto stat = parse_stat(kernel_thread);
  REQUIRE(stat);
  CHECK(stat->kernel);
  CHECK(stat->name == "ksoftirqd/0");
}

TEST_CASE("a name with blanks and brackets moves nothing") {
  auto text = shell;
  text.replace(text.find("(cat)"), 5, "(tmux: server) S 1 (x)");
  const auto stat = parse_stat(text);
  REQUIRE(stat);
  CHECK(stat->name == "tmux: server) S 1 (x");
  CHECK(stat->parent == 10725);
}

TEST_CASE("a process cut at any byte is none, or the same as far as it is looked at") {
  const auto whole = parse_stat(shell);
  const auto last_looked_at = shell.find(" 427 ") + 5;
  for (std::size_t cut = 0; cut < shell.size(); ++cut) {
    const auto stat = parse_stat(std::string_view{shell}.substr(0, cut));
    CHECK(stat.has_value() == (cut >= last_looked_at));
    if (stat)
      CHECK(stat->resident_pages == whole->resident_pages);
  }
}

TEST_CASE("arguments are split at zero bytes, whatever is in them") {
  CHECK(parse_cmdline("/usr/sbin/sshd\0-D\0"sv) ==
        std::vector<std::string_view>{"/usr/sbin/sshd", "-D"});
  CHECK(parse_cmdline("nginx: master process\0"sv) ==
        std::vector<std::string_view>{"nginx: master process"});
  CHECK(parse_cmdline("").empty());
  CHECK(parse_cmdline(std::string(1000, '\0')).size() == arguments_max);
  constexpr auto text = "/usr/bin/python3\0/usr/bin/fail2ban-server\0-xf\0start\0"sv;
  for (std::size_t cut = 0; cut < text.size(); ++cut)
    CHECK(parse_cmdline(text.substr(0, cut)).size() <= 4);
}

TEST_CASE("a program is known by its file, a script by its own") {
  const auto file = [](std::string_view link, std::string_view cmdline) {
    return program_file(link, parse_cmdline(cmdline));
  };
  CHECK(file("/usr/sbin/sshd", "sshd: /usr/sbin/sshd -D\0"sv) == "/usr/sbin/sshd");
  CHECK(file("/usr/sbin/cron (deleted)", "/usr/sbin/cron\0-f\0"sv) == "/usr/sbin/cron");
  CHECK(file("/usr/bin/python3.11", "/usr/bin/python3\0/usr/bin/fail2ban-server\0-xf\0"sv) ==
        "/usr/bin/fail2ban-server");
  CHECK(file("/usr/bin/perl", "perl\0-w\0/usr/sbin/munin-node\0"sv) == "/usr/sbin/munin-node");
  CHECK(file("/usr/bin/dash", "sh\0-c\0/usr/sbin/thing --flag\0"sv) == "/usr/bin/dash");
  CHECK(file("/usr/bin/bash", "bash\0/dev/fd/3\0"sv) == "/usr/bin/bash");
  CHECK(file("/usr/bin/python3.11", "python3\0server.py\0"sv) == "/usr/bin/python3.11");
  CHECK(file("/usr/bin/pythonic", "pythonic\0/etc/x\0"sv) == "/usr/bin/pythonic");
  CHECK(file("", "/usr/sbin/sshd\0-D\0"sv) == "/usr/sbin/sshd"); // not ours to look at
  CHECK(file("", "sshd\0"sv).empty());
  CHECK(file("", "").empty());
}

TEST_CASE("a program without a file is called what the kernel calls it") {
  CHECK(program_name("/usr/sbin/sshd", "sshd") == "sshd");
  CHECK(program_name("", "systemd-journal") == "systemd-journal");
  CHECK(program_name("/memfd:x", "x") == "memfd:x");
}

TEST_CASE("memory is told in powers of two") {
  CHECK(memory_class_kb(0) == 0);
  CHECK(memory_class_kb(1) == 1);
  CHECK(memory_class_kb(1024) == 1024);
  CHECK(memory_class_kb(1025) == 2048);
  CHECK(memory_class_kb(UINT64_MAX) == std::uint64_t{1} << 63);
}

TEST_CASE("the use of the CPU is told in powers of ten") {
  CHECK(cpu_class_permille(0, 1000) == 0);
  CHECK(cpu_class_permille(1, 1001) == 0);
  CHECK(cpu_class_permille(1, 1000) == 1);
  CHECK(cpu_class_permille(99, 1000) == 10);
  CHECK(cpu_class_permille(100, 1000) == 100);
  CHECK(cpu_class_permille(3900, 1000) == 1000);
  CHECK(cpu_class_permille(64'000, 1000) == 10'000);
  CHECK(cpu_class_permille(5, 0) == 0);
  CHECK(cpu_class_permille(UINT64_MAX, 1) == 1'000'000);
}

TEST_CASE("a control group's processes are counted") {
  CHECK(count_processes("612\n700\n701\n") == 3);
  CHECK(count_processes("612\n70") == 2);
  CHECK(count_processes("") == 0);
  CHECK(count_processes("not a list\n") == 0);
}

} // namespace muster::actors::probe
