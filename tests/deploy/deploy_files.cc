#include "tests/deploy/deploy_files.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <sstream>

#include "broker/base/check.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::testing {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == ':';
}

// Where the text goes on behind the bracket that stands at `open`, strings in it left alone.
size_t Behind(std::string_view text, size_t open, char close) {
  for (size_t i = open + 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      i = text.find('"', i + 1);
      if (i == std::string_view::npos) break;
    } else if (text[i] == close) {
      return i + 1;
    }
  }
  return text.size();
}

void CollectPanels(const nlohmann::json& list, std::vector<Panel>* panels) {
  for (const auto& item : list) {
    Panel panel{item.at("title"), {}};
    for (const auto& target : item.value("targets", nlohmann::json::array())) {
      panel.expressions.push_back(target.at("expr"));
    }
    panels->push_back(std::move(panel));
    if (item.contains("panels")) CollectPanels(item["panels"], panels);
  }
}

}  // namespace

std::vector<Alert> ReadAlerts() {
  std::vector<Alert> alerts;
  const YAML::Node root = YAML::LoadFile(checkout::SourcePath("deploy/prometheus/alerts.yml"));
  for (const auto& group : root["groups"]) {
    for (const auto& rule : group["rules"]) {
      Alert alert{rule["alert"].as<std::string>(),
                  rule["expr"].as<std::string>(),
                  rule["labels"]["severity"].as<std::string>(),
                  {}};
      for (const auto& note : rule["annotations"]) {
        alert.annotations[note.first.as<std::string>()] = note.second.as<std::string>();
      }
      alerts.push_back(std::move(alert));
    }
  }
  return alerts;
}

std::vector<Panel> ReadPanels() {
  const auto json = nlohmann::json::parse(
      ReadFile(checkout::SourcePath("deploy/grafana/dashboard.json")), nullptr, false);
  SCHAKEL_CHECK(!json.is_discarded(), "the dashboard is JSON");
  std::vector<Panel> panels;
  CollectPanels(json.at("panels"), &panels);
  return panels;
}

std::set<std::string> MetricsIn(std::string_view text) {
  static const std::set<std::string> keywords = {
      "and", "or", "unless", "bool", "on", "ignoring", "group_left", "group_right", "offset"};
  std::set<std::string> metrics;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (c == '{') {
      i = Behind(text, i, '}');
    } else if (c == '[') {
      i = Behind(text, i, ']');
    } else if (c == '"') {
      i = Behind(text, i, '"');
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (i < text.size() && (IsNameCharacter(text[i]) || text[i] == '.')) ++i;
    } else if (IsNameCharacter(c)) {
      const size_t begin = i;
      while (i < text.size() && IsNameCharacter(text[i])) ++i;
      const std::string name(text.substr(begin, i - begin));
      const size_t next = text.find_first_not_of(' ', i);
      const bool called = next != std::string_view::npos && text[next] == '(';
      if (name == "by" || name == "without") {
        if (called) i = Behind(text, next, ')');  // labels
      } else if (!called && !keywords.contains(name)) {
        // "sum by (le) (...)": the aggregation stands before its labels.
        const size_t word = text.find_first_not_of(' ', i);
        const bool aggregates =
            word != std::string_view::npos &&
            (text.substr(word).starts_with("by ") || text.substr(word).starts_with("without "));
        if (!aggregates) metrics.insert(name);
      }
    } else {
      ++i;
    }
  }
  return metrics;
}

std::set<std::string> AnchorsOf(std::string_view page) {
  std::set<std::string> anchors;
  std::istringstream lines{std::string(page)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('#')) continue;
    std::string anchor;
    for (const char c : line.substr(std::min(line.find_first_not_of("# "), line.size()))) {
      if (c == ' ') anchor += '-';
      if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_') {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

std::vector<ShellBlock> ShellBlocksOf(std::string_view page) {
  std::vector<ShellBlock> blocks;
  std::string before;
  bool inside = false;
  std::istringstream lines{std::string(page)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      inside = !inside && line == "```sh";
      if (inside) {
        const bool comment = before.starts_with("<!-- ") && before.ends_with(" -->");
        blocks.push_back({comment ? before.substr(5, before.size() - 9) : "", {}});
      }
    } else if (inside && !line.empty()) {
      blocks.back().lines.push_back(line);
    }
    before = line;
  }
  return blocks;
}

std::vector<std::string> WordsOf(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool any = false;
  char quote = 0;
  const auto end_word = [&] {
    if (any) words.push_back(std::exchange(word, {}));
    any = false;
  };
  for (const char c : line) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
      any = true;
    } else if (c == ' ') {
      end_word();
    } else if (c == '#' && !any) {
      break;
    } else {
      word += c;
      any = true;
    }
  }
  end_word();
  return words;
}

}  // namespace schakel::testing
