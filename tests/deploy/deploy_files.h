// Reads the files in deploy/ that the machine room is given.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace schakel::testing {

struct Alert {
  std::string name;
  std::string expression;
  std::string severity;
  std::map<std::string, std::string> annotations;
};
// deploy/prometheus/alerts.yml. Stops the process when it is no rule file.
std::vector<Alert> ReadAlerts();

struct Panel {
  std::string title;
  std::vector<std::string> expressions;
};
// deploy/grafana/dashboard.json. Stops the process when it is no JSON.
std::vector<Panel> ReadPanels();

// Names of the metrics in an expression of PromQL: what is no function, keyword, label or string.
std::set<std::string> MetricsIn(std::string_view expression);

// Anchors of a page's headings, as GitHub makes them.
std::set<std::string> AnchorsOf(std::string_view page);

// The blocks of ```sh of a page, each with the comment of the line before it ("" without one).
struct ShellBlock {
  std::string comment;  // <!-- this -->
  std::vector<std::string> lines;
};
std::vector<ShellBlock> ShellBlocksOf(std::string_view page);

// Words of a line of shell, quotes taken off. Comments end it.
std::vector<std::string> WordsOf(std::string_view line);

}  // namespace schakel::testing
