#include "clients/cli/loopback_journal.h"

#include <gtest/gtest.h>

#include "clients/sdk/inbox_client.h"
#include "tests/support/temp_dir.h"

namespace schakel::cli {
namespace {

class Journal : public ::testing::Test {
 protected:
  Result<LoopbackJournal> Open() { return LoopbackJournal::Open(temp_ / "loopback"); }
  static OwedReport Report() {
    return {*DeliveryId::From(sdk::NewRequestId().view()), sdk::NewRequestId(), "test-received"};
  }

  schakel::testing::TempDir temp_{"journal"};
};

TEST_F(Journal, KeepsWhatIsOwedUntilItIsSettled) {
  const OwedReport first = Report();
  const OwedReport second = Report();
  {
    const auto journal = Open();
    ASSERT_TRUE(journal.ok());
    EXPECT_TRUE(journal->Owed()->empty());
    ASSERT_TRUE(journal->Owe(first).ok());
    ASSERT_TRUE(journal->Owe(second).ok());
  }
  const auto journal = Open();
  ASSERT_TRUE(journal.ok());
  EXPECT_EQ(journal->Owed()->size(), 2u);
  ASSERT_TRUE(journal->Settle(second.delivery).ok());
  EXPECT_EQ(*journal->Owed(), std::vector<OwedReport>{first});
  ASSERT_TRUE(journal->Settle(first.delivery).ok());
  EXPECT_TRUE(journal->Settle(first.delivery).ok()) << "twice does no harm";
  EXPECT_TRUE(journal->Owed()->empty());
}

TEST_F(Journal, NamesTheFileThatIsDamaged) {
  const OwedReport report = Report();
  const auto journal = Open();
  ASSERT_TRUE(journal.ok());
  const auto file = temp_ / "loopback" / UuidText(report.delivery.view());
  const std::string request = UuidText(report.request.view());
  for (const std::string& text :
       {std::string(), std::string("x"), request, request + " ", request + " test-received",
        request + "-test-received\n", request + " \n", std::string(36, 'x') + " test-received\n"}) {
    schakel::testing::WriteFile(file, text);
    const auto owed = journal->Owed();
    ASSERT_FALSE(owed.ok()) << text;
    EXPECT_EQ(owed.error().reason, "JOURNAL_DAMAGED");
    EXPECT_EQ(owed.error().field, file.string());
  }
}

TEST_F(Journal, PassesOverWhatAKilledWriteLeft) {
  const auto journal = Open();
  ASSERT_TRUE(journal.ok());
  schakel::testing::WriteFile(temp_ / "loopback" / ".tmp-x", "half");
  EXPECT_TRUE(journal->Owed()->empty());
}

}  // namespace
}  // namespace schakel::cli
