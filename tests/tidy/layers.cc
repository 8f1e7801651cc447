#include "tests/tidy/layers.h"

#include <algorithm>
#include <optional>

namespace schakel::tidy {
namespace {

constexpr std::string_view kMains = "broker";  // broker_main.cc, custodian_main.cc

// The path in an #include line; nullopt on any other line.
std::optional<std::string_view> IncludeOf(std::string_view line) {
  constexpr std::string_view kWord = "#include";
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || !line.substr(begin).starts_with(kWord)) {
    return std::nullopt;
  }
  const size_t open = line.find_first_of("\"<", begin + kWord.size());
  if (open == std::string_view::npos) return std::nullopt;
  const size_t close = line.find_first_of("\">", open + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return line.substr(open + 1, close - open - 1);
}

// The table's folder that an included path belongs to; empty for a library or the standard.
// Lists of headers to precompile: no code includes them, and they include from everywhere.
bool IsForTheCompiler(const SourceFile& file) { return file.Under("cmake/precompiled"); }

std::string_view LayerOfInclude(std::string_view include) {
  const bool generated = include.ends_with(".pb.h");
  if (generated && !include.starts_with("google/protobuf/")) return "proto";
  for (const std::string_view top : {"broker/", "clients/", "policy/", "tests/"}) {
    if (include.starts_with(top)) return LayerOf(include);
  }
  return "";
}

struct LibraryRule {
  std::string_view name;
  std::vector<std::string_view> includes;  // beginnings, or with a leading * endings
  std::string_view word;                   // that code outside may not name either; may be empty
  std::vector<std::string_view> homes;     // beginnings of paths
  std::string_view instead;
};

const std::vector<LibraryRule>& LibraryRules() {
  static const std::vector<LibraryRule> rules = {
      {"gRPC",
       {"grpc/support", "grpcpp/", "*.grpc.pb.h"},
       "grpc::",
       {"broker/transport/", "broker/rpc/", "broker/custodian/", "broker/delivery/pull_stream.",
        "broker/broker_main.cc", "broker/custodian_main.cc", "clients/", "tests/"},
       "return a Result or a Decision; broker/transport/errors.h makes a status of it"},
      {"RocksDB",
       {"rocksdb/"},
       "rocksdb::",
       {"broker/store/"},
       "use broker/store/state_store.h, or broker/store/testing in a test"},
      {"OpenSSL",
       {"openssl/"},
       "",
       // noise.cc: a TLS client that speaks no protocol of ours; exit_test.cc: whether it still
       // works.
       {"broker/crypto/", "tests/e2e/bad_input/noise.cc", "tests/unit/crypto/exit_test.cc"},
       "use broker/crypto"},
      {"libsodium", {"sodium"}, "", {"broker/crypto/"}, "use broker/crypto"},
  };
  return rules;
}

bool Matches(std::string_view include, std::string_view pattern) {
  return pattern.starts_with('*') ? include.ends_with(pattern.substr(1))
                                  : include.starts_with(pattern);
}

std::string Joined(const std::set<std::string_view>& names) {
  std::string text;
  for (const auto name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

const std::vector<Layer>& Layers() {
  static const std::vector<Layer> layers = {
      {"proto", {}},
      {"broker/base", {}},
      {"broker/message", {"broker/base", "proto"}},
      {"broker/config", {"broker/base", "proto"}},
      {"broker/crypto", {"broker/base"}},
      {"broker/merkle", {"broker/base", "broker/crypto"}},
      {"broker/store", {"broker/base"}},
      {"broker/store/testing", {"broker/store"}},
      {"policy/engine", {"broker/base", "proto", "broker/config"}},
      {"broker/audit", {"broker/base", "proto", "broker/crypto", "broker/merkle", "broker/store"}},
      {"broker/machine",
       {"broker/base", "proto", "broker/merkle", "policy/engine", "broker/crypto", "broker/store",
        "broker/audit", "broker/message"}},
      {"broker/sequencer", {"broker/machine", "broker/store"}},
      {"broker/query",
       {"broker/base", "proto", "broker/store", "broker/machine", "broker/merkle", "broker/crypto",
        "policy/engine"}},
      {"broker/transport", {"broker/base", "proto", "broker/crypto"}},
      {"broker/delivery", {"broker/sequencer", "broker/query", "broker/transport"}},
      {"broker/rpc",
       {"broker/transport", "broker/sequencer", "broker/delivery", "broker/query", "broker/config",
        "policy/engine", "proto"}},
      {"broker/custodian",
       {"broker/base", "proto", "broker/config", "broker/crypto", "broker/merkle", "broker/store",
        "broker/audit", "broker/transport"}},
      {kMains, {"broker/rpc", "broker/custodian"}},
      {"clients/sdk",
       {"proto", "broker/base", "broker/message", "broker/config", "broker/crypto", "broker/merkle",
        "policy/engine"}},
      {"clients/cli", {"clients/sdk", "policy/engine"}},
      {"tests", {"broker", "broker/store/testing", "clients/cli"}},
  };
  return layers;
}

std::string_view LayerOf(std::string_view path) {
  std::string_view best;
  for (const Layer& layer : Layers()) {
    const std::string_view folder = layer.folder;
    const bool holds =
        path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
    // The mains lie in broker/ itself: a new folder there must get a line of its own.
    if (holds && folder == kMains && path.find('/', folder.size() + 1) != std::string_view::npos) {
      continue;
    }
    if (holds && folder.size() > best.size()) best = folder;
  }
  return best;
}

std::map<std::string_view, std::set<std::string_view>> Closure() {
  std::map<std::string_view, std::set<std::string_view>> closure;
  // The table stands lowest first, so what a folder may include is complete when it is reached.
  for (const Layer& layer : Layers()) {
    auto& reach = closure[layer.folder];
    reach.insert(layer.folder);
    for (const auto below : layer.may_include) {
      reach.insert(closure.at(below).begin(), closure.at(below).end());
    }
  }
  return closure;
}

std::vector<Finding> CheckLayers(const SourceFile& file) {
  if (!file.IsCode() || IsForTheCompiler(file)) return {};
  const std::string_view own = LayerOf(file.path);
  if (own.empty()) {
    return {{file.path, 0,
             "its folder has no line in the table of tests/tidy/layers.cc: add one, with what it "
             "may include, and a row in ARCHITECTURE.md"}};
  }
  static const auto closure = Closure();
  std::vector<Finding> findings;
  ForEachLine(file.text, [&](size_t number, std::string_view line) {
    const auto include = IncludeOf(line);
    if (!include) return;
    const std::string_view theirs = LayerOfInclude(*include);
    if (theirs.empty()) {
      const bool ours = include->starts_with("broker/") || include->starts_with("clients/");
      if (!ours) return;
    }
    if (closure.at(own).contains(theirs)) return;
    findings.push_back({file.path, number,
                        std::string(own) + " may not include " + std::string(*include) +
                            ". It may include " + Joined(closure.at(own)) +
                            ". Move what is needed down, or pass it in as an interface"});
  });
  return findings;
}

std::vector<Finding> CheckLibraries(const SourceFile& file) {
  if (!file.IsCode() || IsForTheCompiler(file)) return {};
  std::vector<Finding> findings;
  for (const LibraryRule& rule : LibraryRules()) {
    const bool home = std::any_of(rule.homes.begin(), rule.homes.end(),
                                  [&](std::string_view at) { return file.path.starts_with(at); });
    if (home) continue;
    ForEachLine(file.text, [&](size_t number, std::string_view line) {
      const auto include = IncludeOf(line);
      const bool included =
          include && std::any_of(rule.includes.begin(), rule.includes.end(),
                                 [&](std::string_view p) { return Matches(*include, p); });
      const size_t comment = line.find("//");
      const size_t word = rule.word.empty() ? std::string_view::npos : line.find(rule.word);
      const bool named =
          word != std::string_view::npos && word < comment && (word == 0 || line[word - 1] != '"');
      if (!included && !named) return;
      findings.push_back({file.path, number,
                          std::string(rule.name) + " has its own place in this project; here: " +
                              std::string(rule.instead)});
    });
  }
  return findings;
}

}  // namespace schakel::tidy
