// Alert rules and dashboard as files. That their metrics exist is tested on running programs:
// tests/e2e/figures_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/deploy/deploy_files.h"
#include "tests/support/paths.h"
#include "tests/support/temp_dir.h"

namespace schakel::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(Alerts, EachSayWhatToDoInTwoLanguagesAndNameASectionThatExists) {
  const auto anchors = AnchorsOf(ReadFile(checkout::SourcePath("deploy/RUNBOOK.md")));
  const auto alerts = ReadAlerts();
  EXPECT_GT(alerts.size(), 15u);
  std::set<std::string> names;
  for (const Alert& alert : alerts) {
    SCOPED_TRACE(alert.name);
    EXPECT_TRUE(names.insert(alert.name).second) << "twice";
    EXPECT_THAT(alert.name, StartsWith("Schakel"));
    EXPECT_TRUE(alert.severity == "page" || alert.severity == "ticket");
    for (const char* key : {"summary", "summary_nl", "action", "action_nl"}) {
      ASSERT_TRUE(alert.annotations.contains(key)) << key;
      EXPECT_GT(alert.annotations.at(key).size(), 30u) << key;
    }
    EXPECT_NE(alert.annotations.at("summary"), alert.annotations.at("summary_nl"));
    EXPECT_NE(alert.annotations.at("action"), alert.annotations.at("action_nl"));
    const std::string runbook = alert.annotations.at("runbook");
    ASSERT_THAT(runbook, StartsWith("RUNBOOK.md#"));
    EXPECT_TRUE(anchors.contains(runbook.substr(runbook.find('#') + 1))) << runbook;
    EXPECT_THAT(MetricsIn(alert.expression), ::testing::Not(IsEmpty()));
  }
}

TEST(Dashboard, HasPanelsWithATitleAndAnExpression) {
  const auto panels = ReadPanels();
  EXPECT_GT(panels.size(), 10u);
  std::set<std::string> titles;
  for (const Panel& panel : panels) {
    EXPECT_TRUE(titles.insert(panel.title).second) << panel.title;
    EXPECT_FALSE(panel.expressions.empty()) << panel.title;
    for (const auto& expression : panel.expressions) {
      EXPECT_THAT(MetricsIn(expression), ::testing::Not(IsEmpty())) << expression;
    }
  }
}

TEST(MetricsIn, SeesMetricsAndNothingElse) {
  EXPECT_THAT(MetricsIn("up{job=\"x\"} == 0"), ElementsAre("up"));
  EXPECT_THAT(MetricsIn("a > 2 * b and changes(c[1m]) == 0"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(
      MetricsIn("histogram_quantile(0.99, sum by (le) (rate(a_bucket{m=\"x}y\"}[5m]))) > 1"),
      ElementsAre("a_bucket"));
  EXPECT_THAT(MetricsIn("time() - max_over_time(a[7d]) > 1e3"), ElementsAre("a"));
  EXPECT_THAT(MetricsIn("sum(a) without (b)"), ElementsAre("a"));
}

}  // namespace
}  // namespace schakel::testing
