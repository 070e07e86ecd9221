#pragma once
// A machine with applications to be managed, for settings_keeper: files, packages and commands are
// what the test says.

#include "actors/agent/settings_keeper.hpp"
#include "actors/rules/policy_document.hpp"
#include "actors/rules/policy_merge.hpp"
#include "actors/rules/settings_codec.hpp"
#include "actors/rules/settings_diff.hpp"
#include "actors/rules/settings_yaml.hpp"
#include "net/documents.hpp"
#include "net/section_digest.hpp"
#include "net/wire/agent.pb.h"
#include "storage/compress.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <muster/assert.hpp>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace muster::test {

using namespace muster::actors;

inline rules::settings_document yaml(const std::string& text) {
  rules::text_problem problem;
  auto out = rules::settings_from_yaml(text, problem);
  MUSTER_ASSERT(out, "a test's own document is one"); // also before main
  return *out;
}

/// A document as the server makes it, and as it travels.
struct made_document {
  document_kind kind = document_kind::settings;
  std::string name;
  std::uint64_t revision = 1;
  std::string content;
  document_hash hash{};

  [[nodiscard]] document_entry entry() const { return {kind, name, revision, hash}; }
  [[nodiscard]] document_parcel parcel() const {
    return {kind, name, hash, {}, storage::compress(content), false};
  }
  [[nodiscard]] document_parcel patch_of(const made_document& before) const {
    std::string ignored;
    const auto a = rules::settings_from_bytes(before.content, ignored);
    const auto b = rules::settings_from_bytes(content, ignored);
    return {kind, name, hash, before.hash, storage::compress(rules::patch(*a, *b)), false};
  }
};

inline made_document document_with(document_kind kind, std::string name, std::uint64_t revision,
                                   const rules::settings_document& document) {
  made_document out{kind, std::move(name), revision, rules::to_bytes(document), {}};
  out.hash = net::section_digest_of(out.content);
  return out;
}

inline made_document policy(const std::string& application, std::uint64_t revision,
                            const std::string& values, const std::vector<std::string>& locks = {}) {
  auto document = rules::settings_value::empty_map();
  rules::settings_value::list paths;
  for (const auto& lock : locks)
    paths.emplace_back(lock);
  document.set("locks", std::move(paths));
  document.set("values", yaml(values));
  return document_with(document_kind::settings, application, revision, document);
}

inline made_document own_settings(const std::string& application, std::uint64_t revision,
                                  const std::string& values) {
  return document_with(document_kind::own_settings, application, revision,
                       rules::document_of_own(yaml(values)));
}

inline manifest_ptr manifest_of(const std::vector<made_document>& documents) {
  document_manifest out;
  wire::document_manifest wire;
  std::map<std::pair<document_kind, std::string>, made_document> sorted;
  for (const auto& one : documents)
    sorted[{one.kind, one.name}] = one;
  for (const auto& [where, one] : sorted) {
    out.entries.push_back(one.entry());
    auto& entry = *wire.add_entries();
    entry.set_kind(static_cast<wire::document_kind>(one.kind));
    entry.set_name(one.name);
    entry.set_revision(one.revision);
    entry.set_hash(one.hash.data(), one.hash.size());
  }
  out.digest = net::manifest_digest_of(wire);
  return std::make_shared<const document_manifest>(std::move(out));
}

inline void fill(wire::document_manifest& out, const document_manifest& from) {
  for (const auto& one : from.entries) {
    auto& entry = *out.add_entries();
    entry.set_kind(static_cast<wire::document_kind>(one.kind));
    entry.set_name(one.name);
    entry.set_revision(one.revision);
    entry.set_hash(one.hash.data(), one.hash.size());
  }
}

/// What the keeper's hands find and do. Outlives every keeper on it.
struct settings_machine {
  struct begun_command {
    command_order order;
    std::function<void(command_result)> done;
  };

  found_connectors connectors;
  bool connectors_changed = true;
  std::set<std::string> packages{"openssh-server"};
  std::set<std::string> paths;
  std::map<std::string, std::string> files;
  std::map<std::string, std::uint64_t> writes; ///< of each file, by anybody
  bool attributes_fit = true;
  std::string write_problem;
  std::vector<std::string> done; ///< "write FILE", "remove FILE", "run PROGRAM", in order
  std::deque<begun_command> commands;
  std::vector<std::string> changes_told;
  std::vector<agent_policy> policies;
  std::function<void()> before_write; ///< to be killed there

  [[nodiscard]] settings_hands hands() {
    settings_hands out;
    out.connectors = [this](found_connectors& found) {
      found = connectors;
      return std::exchange(connectors_changed, false);
    };
    out.installed = [this](const std::vector<std::string>& names) {
      return std::any_of(names.begin(), names.end(),
                         [this](const std::string& one) { return packages.contains(one); });
    };
    out.exists = [this](const std::string& file) {
      return paths.contains(file) || files.contains(file);
    };
    out.mark = [this](const std::string& file) {
      return std::to_string(writes[file]) + (attributes_fit ? "" : "!");
    };
    out.look = [this](const rules::connector& how) {
      file_look look;
      if (const auto found = files.find(how.file); found != files.end()) {
        look.what = file_look::kind::regular;
        look.content = found->second;
        look.attributes_fit = attributes_fit;
      }
      return look;
    };
    out.write = [this](const rules::connector& how, const std::string& content) {
      if (!write_problem.empty())
        return write_problem;
      done.push_back("write " + how.file);
      edit(how.file, content);
      attributes_fit = true;
      return std::string{};
    };
    out.remove = [this](const rules::connector& how) {
      done.push_back("remove " + how.file);
      files.erase(how.file);
      ++writes[how.file];
      return std::string{};
    };
    out.run = [this](command_order order, std::function<void(command_result)> end) {
      done.push_back("run " + order.command.front());
      commands.push_back({std::move(order), std::move(end)});
    };
    return out;
  }

  /// Somebody writes a file.
  void edit(const std::string& file, const std::string& content) {
    files[file] = content;
    ++writes[file];
  }

  std::vector<std::string> take_done() { return std::exchange(done, {}); }

  rules::connector& connect(const std::string& text, const std::string& file = "sshd.toml") {
    auto read = rules::read_connector(text, file);
    REQUIRE_MESSAGE(read.good, (read.problems.empty() ? "" : read.problems.front()));
    found_connector found;
    found.connector = *read.good;
    found.file = file;
    const auto application = read.good->name;
    connectors[application] = std::move(found);
    connectors_changed = true;
    return connectors[application].connector;
  }
};

inline constexpr const char* sshd_connector = R"(
name = "sshd"
title = "OpenSSH server"
[detect]
packages = ["openssh-server"]
[settings]
file = "/etc/ssh/sshd_config.d/50-muster.conf"
format = "lines"
booleans = "yes/no"
[commands]
check = ["/usr/sbin/sshd", "-t"]
reload = ["/usr/bin/systemctl", "reload", "ssh"]
status = ["/usr/sbin/sshd", "-T"]
status_format = "lines"
)";

} // namespace muster::test
