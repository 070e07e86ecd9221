#include "apps/server/check_rules.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <cerrno>

using namespace muster::server;

namespace {

constexpr std::int64_t day = 24 * 3600;
constexpr std::int64_t now = 1'800'000'000;

bool says(const finding& one, verdict how, const std::string& part) {
  CAPTURE(one.text);
  return one.how == how && one.text.find(part) != std::string::npos;
}

std::error_code error(int number) {
  return {number, std::generic_category()};
}

directory_facts good_directory() {
  return {.path = "/var/lib/muster/server",
          .ec = {},
          .there = true,
          .is_directory = true,
          .mode = 0700,
          .owner_differs = false,
          .owner = "muster"};
}

server_facts alive() {
  server_facts out;
  out.how = asked::answered;
  out.our_version = out.report.version = "1";
  out.report.figures = {{"muster_store_commits_total", 7}};
  return out;
}

/// What is said of one thing, when the server's figures are these.
finding with_figures(const std::string& what, std::map<std::string, double> figures) {
  auto facts = alive();
  facts.report.figures = std::move(figures);
  for (const auto& one : judge_server(facts))
    if (one.what == what)
      return one;
  return {};
}

} // namespace

TEST_CASE("a data directory is its owner's alone") {
  CHECK(judge_directory(good_directory()).how == verdict::ok);
  auto facts = good_directory();
  facts.mode = 0755;
  CHECK(says(judge_directory(facts), verdict::warning, "mode 0755); run: chmod 700 /var"));
  facts.mode = 0500;
  CHECK(says(judge_directory(facts), verdict::failed, "may not use it"));
  facts = good_directory();
  facts.owner_differs = true;
  CHECK(says(judge_directory(facts), verdict::failed, "chown -R muster:"));
  facts = good_directory();
  facts.is_directory = false;
  CHECK(says(judge_directory(facts), verdict::failed, "no directory"));
  facts.there = false;
  CHECK(says(judge_directory(facts), verdict::ok, "first start"));
  facts.ec = error(EACCES);
  CHECK(says(judge_directory(facts), verdict::failed, "as root"));
}

TEST_CASE("an identity that has been lost is told from one that has never been") {
  CHECK(says(judge_identity({"/i", false, false, {}}), verdict::ok, "first start"));
  CHECK(says(judge_identity({"/i", false, true, {}}), verdict::failed, "identity import"));
  CHECK(says(judge_identity({"/i", true, true, {}}), verdict::ok, "whole"));
  CHECK(
    says(judge_identity({"/i", true, true, "/i/secrets: is damaged"}), verdict::failed, "damaged"));
}

TEST_CASE("a certificate is judged by the clock and by who renews it") {
  const auto server = [](std::int64_t age_days, bool runs) {
    return judge_certificate({now - age_days * day, now + (90 - age_days) * day, false, runs}, now);
  };
  CHECK(says(server(10, true), verdict::ok, "80 days"));
  CHECK(says(server(60, true), verdict::ok, "30 days")); // the server looks within the hour
  CHECK(says(server(62, true), verdict::warning, "should have been renewed"));
  CHECK(says(server(91, true), verdict::failed, "expired"));
  CHECK(says(server(91, false), verdict::ok, "next start"));
  CHECK(says(server(-2, true), verdict::failed, "clock"));
  const auto authority = [](std::int64_t left_days) {
    return judge_certificate({now - 100 * day, now + left_days * day, true, true}, now);
  };
  CHECK(says(authority(7000), verdict::ok, "7000 days"));
  CHECK(says(authority(364), verdict::warning, "plan"));
  CHECK(says(authority(-1), verdict::failed, "expired"));
}

TEST_CASE("a port is free, the running server's, or somebody else's") {
  port_facts facts{"agents", "::", 13000, false, {}, {}};
  CHECK(says(judge_port(facts), verdict::ok, "free"));
  facts.taking = error(EADDRINUSE);
  CHECK(says(judge_port(facts), verdict::failed, "agents.port"));
  facts.taking = error(EACCES);
  CHECK(says(judge_port(facts), verdict::warning, "CAP_NET_BIND_SERVICE"));
  facts.held = std::uint16_t{13000};
  CHECK(says(judge_port(facts), verdict::ok, "held by the running server"));
  facts.held = std::uint16_t{13001};
  CHECK(says(judge_port(facts), verdict::failed, "listens on 13001; restart"));
  facts.held = std::uint16_t{0};
  CHECK(says(judge_port(facts), verdict::failed, "does not listen"));
}

TEST_CASE("descriptors are counted against what is wanted, and against the fleet") {
  CHECK(
    says(judge_descriptors({1'048'576, true, 1024, 1'000'000, 900'000}), verdict::ok, "1047552"));
  CHECK(says(judge_descriptors({20'000, true, 1024, 1'000'000, 0}), verdict::failed, "1001024"));
  CHECK(
    says(judge_descriptors({20'000, true, 1024, 0, 30'000}), verdict::warning, "30000 devices"));
  CHECK(says(judge_descriptors({500, false, 1024, 0, 0}), verdict::failed, "LimitNOFILE"));
  CHECK(says(judge_descriptors({20'000, false, 1024, 0, 0}), verdict::ok, "started from here"));
}

TEST_CASE("a disk is judged by the store's reserve") {
  constexpr std::uint64_t megabyte = 1024 * 1024;
  CHECK(judge_disk(512 * megabyte, 128 * megabyte, "/d").how == verdict::ok);
  CHECK(says(judge_disk(511 * megabyte, 128 * megabyte, "/d"), verdict::warning, "below 128"));
  CHECK(says(judge_disk(127 * megabyte, 128 * megabyte, "/d"), verdict::failed, "make room"));
}

TEST_CASE("settings of the kernel that are too small come with the command that mends them") {
  const kernel_wants wants{4096, 4 << 20, 1'001'024};
  const auto good = judge_kernel({4096, 4 << 20, 1'048'576, {}}, wants);
  CHECK(good.size() == 3);
  for (const auto& one : good)
    CHECK(one.how == verdict::ok);
  const auto small = judge_kernel({128, 212'992, 1'000'000, 65'536}, wants);
  REQUIRE(small.size() == 4);
  CHECK(says(small[0], verdict::warning, "sysctl -w net.core.somaxconn=4096"));
  CHECK(says(small[1], verdict::warning, "sysctl -w net.core.rmem_max=4194304"));
  CHECK(says(small[2], verdict::warning, "fs.nr_open=1001024"));
  CHECK(says(small[3], verdict::warning, "nf_conntrack_max"));
}

TEST_CASE("a server that runs is asked how it is doing") {
  server_facts facts;
  facts.problem = "it is not running";
  CHECK(judge_server(facts) ==
        findings{{verdict::ok, "server",
                  "it is not running; what only a running server can tell is left out"}});
  facts.how = asked::not_allowed;
  CHECK(judge_server(facts).front().how == verdict::warning);
  facts.how = asked::failed;
  CHECK(judge_server(facts).front().how == verdict::failed);
  CHECK(exit_code_of(judge_server(alive())) == 0);
  CHECK(says(judge_server(alive()).front(), verdict::ok, "alive, version 1"));
  auto old = alive();
  old.our_version = "2";
  CHECK(says(judge_server(old).front(), verdict::warning, "restart it"));
  auto mute = alive();
  mute.report.figures.clear();
  CHECK(exit_code_of(judge_server(mute)) == 1);
}

TEST_CASE("store, wakes and notices are judged by the server's figures") {
  CHECK(says(with_figures("store", {{"muster_store_disk_full", 1}}), verdict::failed, "make room"));
  CHECK(says(with_figures("store", {{"muster_store_failed_commits_total", 3}}), verdict::warning,
             "3 commits"));
  CHECK(says(
    with_figures("wakes", {{"muster_wakes_asked_total", 5}, {"muster_wakes_arrived_total", 4}}),
    verdict::ok, "4 of 5"));
  CHECK(says(
    with_figures("wakes", {{"muster_wakes_asked_total", 5}, {"muster_wakes_unanswered_total", 5}}),
    verdict::warning, "15000"));
  CHECK(says(with_figures("wakes", {{"muster_wakes_datagrams_send_failed_total", 2}}),
             verdict::failed, "wakes.address"));
  CHECK(with_figures("wakes", {{"muster_wakes_datagrams_send_failed_total", 2},
                               {"muster_wakes_datagrams_sent_total", 9}})
          .how == verdict::warning);
  CHECK(says(with_figures("notices", {{"muster_notices_datagrams_dropped_kernel_total", 2}}),
             verdict::warning, "net.core.rmem_max"));
  CHECK(says(with_figures("notices", {{"muster_notices_taken_total", 2}}), verdict::ok, "2 taken"));
  CHECK(says(with_figures("log", {{"muster_log_lines_dropped_total", 2}}), verdict::warning,
             "2 lines"));
}

TEST_CASE("findings are lines for people, a document for programs, and an exit code") {
  const findings all{{verdict::ok, "clock", "synchronised"},
                     {verdict::warning, "disk", "low; make room"},
                     {verdict::failed, "agents port 1", "taken; stop it"}};
  CHECK(as_lines(all) == "ok       clock          synchronised\n"
                         "warning  disk           low; make room\n"
                         "failed   agents port 1  taken; stop it\n");
  const auto document = nlohmann::json::parse(as_json(all));
  CHECK(document["findings"].size() == 3);
  CHECK(document["findings"][2]["verdict"] == "failed");
  CHECK(document["failed"] == 1);
  CHECK(document["warnings"] == 1);
  CHECK(exit_code_of(all) == 1);
  CHECK(exit_code_of({all[0], all[1]}) == 0);
  CHECK(says(judge_clock(false), verdict::warning, "chrony"));
  CHECK(judge_clock(true).how == verdict::ok);
}

TEST_CASE("a server's report is read whole or not at all") {
  const std::string text =
    R"({"ok":true,"version":"1","now_us":5,"descriptors_max":9,"descriptors_open":4,)"
    R"("ports":{"agents":13000,"wakes":4},"figures":{"a_total":2.0}})";
  const auto report = parse_server_report(text);
  REQUIRE(report);
  CHECK(report->version == "1");
  CHECK(report->now_us == 5);
  CHECK(report->descriptors_max == 9);
  CHECK(report->descriptors_open == 4);
  CHECK(report->ports == std::map<std::string, std::uint16_t>{{"agents", 13000}, {"wakes", 4}});
  CHECK(report->figures == std::map<std::string, double>{{"a_total", 2.0}});
  for (std::size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse_server_report(std::string_view{text}.substr(0, length)));
  CHECK_FALSE(parse_server_report(R"({"ok":false,"error":"no"})"));
  CHECK_FALSE(parse_server_report(R"({"ok":"yes","version":"1"})"));
  CHECK_FALSE(parse_server_report(R"({"ok":true,"version":1})"));
}

TEST_CASE("figures with labels are added up, and comments are none") {
  const auto figures =
    figures_of("# TYPE muster_devices gauge\nmuster_devices{state=\"idle\"} 2\n"
               "muster_devices{state=\"off\"} 3\nmuster_wakes_sent_total 7\n\nbroken\nx y\n");
  CHECK(figures ==
        std::map<std::string, double>{{"muster_devices", 5}, {"muster_wakes_sent_total", 7}});
  CHECK(figures_of("a 1").at("a") == 1);
  CHECK(figures_of("").empty());
}
