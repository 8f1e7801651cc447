// The metrics of a broker and a custodian that run: each says its unit and what to do, and what
// alerts and dashboard ask for is there.
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "tests/deploy/deploy_files.h"
#include "tests/e2e/metrics.h"
#include "tests/e2e/story.h"
#include "tests/e2e/wire.h"

namespace schakel::e2e {
namespace {

using ::testing::HasSubstr;

struct Shown {
  std::set<std::string> series;  // names as they are asked for: with _bucket and the like
  std::map<std::string, std::string> help;  // of the project's own metrics
};

void Read(const std::string& text, Shown* shown) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP schakel_")) {
      const size_t end = line.find(' ', 7);
      shown->help[line.substr(7, end - 7)] = line.substr(end + 1);
    } else if (line.starts_with("schakel_")) {
      shown->series.insert(line.substr(0, line.find_first_of("{ ")));
    }
  }
}

class Figures : public RegionTest {
 protected:
  static Shown ShownNow() {
    Shown shown;
    Read(MetricsAt(region().broker_metrics_port()), &shown);
    Read(MetricsAt(region().custodian_metrics_port()), &shown);
    return shown;
  }
};

TEST_F(Figures, SayTheirUnitAndWhatToDoOrTheAlertThatDoes) {
  std::set<std::string> alerts;
  for (const auto& alert : testing::ReadAlerts()) alerts.insert(alert.name);
  const Shown shown = ShownNow();
  EXPECT_GT(shown.help.size(), 20u);
  for (const auto& [name, help] : shown.help) {
    SCOPED_TRACE(name + ": " + help);
    EXPECT_THAT(help, HasSubstr(" Unit: "));
    const size_t alert = help.find(" Alert: ");
    if (alert == std::string::npos) {
      EXPECT_THAT(help, HasSubstr(" Do: "));
      continue;
    }
    std::istringstream names(help.substr(alert + 8));
    for (std::string one; std::getline(names, one, ',');) {
      one.erase(0, one.find_first_not_of(' '));
      if (one.ends_with('.')) one.pop_back();
      EXPECT_TRUE(alerts.contains(one)) << one << " is no alert";
    }
  }
}

TEST_F(Figures, ThatAlertsAndDashboardAskForAreShown) {
  // A publish, so that its series is there.
  ASSERT_OK_AND(const auto sent, Send(As("corporation"), Arrears()));
  ASSERT_TRUE(sent.all_queued());
  ASSERT_OK_AND(auto connection, As("debt-relief").connection());
  RawPull stream(connection);
  ASSERT_TRUE(stream.Read().has_value());
  const Shown shown = ShownNow();
  const auto expect_all = [&](const std::string& where, const std::string& expression) {
    for (const auto& metric : testing::MetricsIn(expression)) {
      // Prometheus' own, about each job.
      if (metric == "up") continue;
      EXPECT_TRUE(shown.series.contains(metric)) << metric << " of " << where;
    }
  };
  for (const auto& alert : testing::ReadAlerts()) expect_all(alert.name, alert.expression);
  for (const auto& panel : testing::ReadPanels()) {
    for (const auto& expression : panel.expressions) expect_all(panel.title, expression);
  }
}

TEST_F(Figures, EachAlertIsNamedByAFigureOrAsksForWhatPrometheusKnows) {
  std::string all_help;
  for (const auto& [name, help] : ShownNow().help) all_help += help + "\n";
  for (const auto& alert : testing::ReadAlerts()) {
    const auto metrics = testing::MetricsIn(alert.expression);
    if (metrics == std::set<std::string>{"up"}) continue;
    EXPECT_THAT(all_help, HasSubstr(alert.name));
  }
}

// By the metric that the alert rule asks for, whatever its name; members have smaller budgets
// afterwards.
TEST_F(Figures, WZHalfOfABudgetSoundsTheAlarmAtTheCustodian) {
  std::string metric;
  for (const auto& alert : testing::ReadAlerts()) {
    if (alert.name != "SchakelBudgetHalfUsed") continue;
    metric = *testing::MetricsIn(alert.expression).begin();
    EXPECT_EQ(alert.expression, metric + " > 0");
  }
  ASSERT_FALSE(metric.empty());
  const auto value = [&] { return ValueOf(MetricsAt(region().custodian_metrics_port()), metric); };
  ASSERT_EQ(value(), 0.0);
  const auto members = region().folder() / "members.yaml";
  std::string text = testing::ReadFile(members);
  const std::string budget = "per_day: 500000";
  for (size_t at = 0; (at = text.find(budget, at)) != std::string::npos;) {
    text.replace(at, budget.size(), "per_day: 2");
  }
  testing::WriteFile(region().folder() / "members.new", text);
  std::filesystem::rename(region().folder() / "members.new", members);
  ASSERT_EQ(value(), 0.0) << "nobody has used anything yet";
  ASSERT_OK_AND(const auto person, PersonBy(region(), "police", 0));
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (value() != 1.0 && std::chrono::steady_clock::now() < limit) {
  }
  EXPECT_EQ(value(), 1.0);
  ASSERT_OK_AND(const auto second, PersonBy(region(), "police", 1));
  EXPECT_EQ(PersonBy(region(), "police", 2).error().reason, "BUDGET_EXHAUSTED");
}

}  // namespace
}  // namespace schakel::e2e
