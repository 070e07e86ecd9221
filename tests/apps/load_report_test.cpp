#include "apps/load/report.hpp"
#include "apps/load/requirement.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <vector>

using namespace muster::load;
using std::chrono::microseconds;

namespace {

result some_run() {
  result out{"sync"};
  out.latency_of = "sync";
  for (int i = 1; i <= 1000; ++i)
    out.done(microseconds{i * 10});
  out.failed("no <way> & \"none\"");
  out.tell("syncs_per_second", 50.5, "1/s");
  out.tell("missing", 0);
  out.next_second(12.5, 64 << 20);
  return out;
}

std::string problem_of(std::string_view text) {
  std::string problem;
  CHECK_FALSE(parse_requirements(text, problem));
  return problem;
}

std::vector<std::string> unmet_of(std::string_view text) {
  std::string problem;
  const auto parsed = parse_requirements(text, problem);
  REQUIRE_MESSAGE(parsed, problem);
  return unmet(*parsed, some_run());
}

} // namespace

TEST_CASE("quantiles are exact: the smallest value that so many do not exceed") {
  latencies all;
  CHECK(all.quantile(0.5) == microseconds{0});
  std::mt19937 random{1};
  std::vector<std::uint32_t> plain;
  for (int i = 0; i < 997; ++i) {
    plain.push_back(static_cast<std::uint32_t>(random() % 100'000));
    all.add(microseconds{plain.back()});
  }
  std::sort(plain.begin(), plain.end());
  for (const double share : {0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto value = static_cast<std::uint32_t>(all.quantile(share).count());
    const auto not_more = std::upper_bound(plain.begin(), plain.end(), value) - plain.begin();
    const auto less = std::lower_bound(plain.begin(), plain.end(), value) - plain.begin();
    CHECK(static_cast<double>(not_more) >= share * 997);
    CHECK(static_cast<double>(less) < share * 997);
  }
  all.add(microseconds{200'000});
  CHECK(all.max() == microseconds{200'000});
  all.add(std::chrono::hours{10});
  CHECK(all.max() == microseconds{UINT32_MAX});
}

TEST_CASE("a second is closed with what was done in it, and the next begins at nothing") {
  auto run = some_run();
  run.done(microseconds{7});
  run.next_second(0, 0);
  REQUIRE(run.timeline.size() == 2);
  CHECK(run.timeline[0].done == 1000);
  CHECK(run.timeline[0].errors == 1);
  CHECK(run.timeline[0].p50_us == 5000);
  CHECK(run.timeline[1].done == 1);
  CHECK(run.timeline[1].max_us == 7);
  CHECK(run.latencies.count() == 1001);
}

TEST_CASE("requirements are held against quantiles, errors and figures") {
  CHECK(unmet_of("p50<=5ms, p99 < 10ms,max=10ms,errors=1,missing=0,syncs_per_second>50").empty());
  CHECK(unmet_of("p50<5ms") == std::vector<std::string>{"'p50<5ms' does not hold: p50 is 5000"});
  CHECK(unmet_of("p99.9<=9990us,errors<1") ==
        std::vector<std::string>{"'errors<1' does not hold: errors is 1"});
  CHECK(unmet_of("speed>1") ==
        std::vector<std::string>{"'speed>1': this scenario has no figure 'speed'"});
  CHECK(unmet_of("").empty());
  for (const auto* const text : {"p99", "p99<", "<5", "p99<fast", "p99<5ms,,errors=0"})
    CHECK(problem_of(text).find("is no requirement") != std::string::npos);
}

TEST_CASE("the line for programs has every figure, quantile and cause") {
  const auto read = nlohmann::json::parse(json_of(some_run()));
  CHECK(read["scenario"] == "sync");
  CHECK(read["syncs_per_second"] == 50.5);
  CHECK(read["missing"] == 0);
  CHECK(read["latency_us"]["count"] == 1000);
  CHECK(read["latency_us"]["p99"] == 9900);
  CHECK(read["latency_us"]["max"] == 10000);
  CHECK(read["errors"]["no <way> & \"none\""] == 1);
}

TEST_CASE("the page stands by itself, and text stays text in it") {
  const auto page = page_of(some_run(), {{{"server", "<script>"}}});
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("&lt;script&gt;") != std::string::npos);
  CHECK(page.find("http") == std::string::npos); // nothing is fetched
  CHECK(page.find("no &lt;way&gt; &amp; &quot;none&quot;") != std::string::npos);
  std::size_t plots = 0;
  for (auto at = page.find("<svg"); at != std::string::npos; at = page.find("<svg", at + 1))
    ++plots;
  CHECK(plots == 5); // done, latency twice, CPU, memory
  CHECK(page.find("nan") == std::string::npos);
  CHECK(page.find("inf") == std::string::npos);
}

TEST_CASE("a run in which nothing happened can be told, too") {
  const result nothing{"storm"};
  CHECK(nlohmann::json::parse(json_of(nothing))["latency_us"]["count"] == 0);
  CHECK(table_of(nothing).find("errors") != std::string::npos);
  CHECK(page_of(nothing, {}).find("</html>") != std::string::npos);
}
