// Words of the tests: drafts, deliveries, what is in them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "clients/sdk/session.h"
#include "tests/e2e/region.h"

namespace schakel::e2e {

// For the message of a failed EXPECT.
template <typename T>
std::string Why(const Result<T>& result) {
  if (result.ok()) return "ok";
  const Error& error = result.error();
  return error.reason + " (" + error.field + "): " + error.message;
}

// ASSERT_OK_AND(auto x, expression): the value of a Result, or the test ends with its error.
#define SCHAKEL_E2E_CONCAT_(a, b) a##b
#define SCHAKEL_E2E_CONCAT(a, b) SCHAKEL_E2E_CONCAT_(a, b)
#define ASSERT_OK_AND(lhs, expression)                               \
  auto SCHAKEL_E2E_CONCAT(result_, __LINE__) = (expression);         \
  ASSERT_TRUE(SCHAKEL_E2E_CONCAT(result_, __LINE__).ok())            \
      << ::schakel::e2e::Why(SCHAKEL_E2E_CONCAT(result_, __LINE__)); \
  lhs = std::move(SCHAKEL_E2E_CONCAT(result_, __LINE__)).value()
#define ASSERT_OK(expression)                                            \
  do {                                                                   \
    auto result_of_it = (expression);                                    \
    ASSERT_TRUE(result_of_it.ok()) << ::schakel::e2e::Why(result_of_it); \
  } while (false)

// ---- Persons ----
// The place of a person in the published list of fictitious BSNs.
std::string TestBsn(size_t place);
// The pseudonym of that person, by the custodians; `who` needs BSN authority.
Result<v1::SubjectRef> PersonBy(Region& region, const std::string& who, size_t place);

// ---- Drafts ----
sdk::DraftSection Section(const std::string& category, const std::string& ground,
                          const std::string& content, std::vector<uint16_t> subjects = {});
std::string IdentityOf(const std::string& family_name);
sdk::Addressee ToFunction(const std::string& function, const std::string& area);

// Rent arrears of an unlinked tenant, sections finances, housing and identity, to
// debt-relief@dordrecht.
sdk::SignalDraft Arrears(const std::string& ground = "wgs-debt");
// Care avoidance of one person by consent, section daily-living, to neighbourhood-team@dordrecht.
sdk::SignalDraft Avoidance(const v1::SubjectRef& subject);

// ---- Sending and receiving ----
// Composes and sends. `choice` kEveryRecipient leaves the decision to the broker alone.
Result<sdk::SendResult> Send(sdk::Session& from, const sdk::SignalDraft& draft,
                             sdk::WrapChoice choice = sdk::WrapChoice::kByRules,
                             const std::string& key = {});
Result<std::vector<v1::Delivery>> FetchAll(sdk::Session& who, uint32_t most = 64);
// Fetches and acknowledges whatever waits, so that a test begins with an empty inbox.
Status EmptyInbox(sdk::Session& who);
Result<sdk::OpenedSignal> Open(sdk::Session& who, const v1::Delivery& delivery,
                               sdk::OpenDiagnosis* diagnosis = nullptr);
DeliveryId IdOf(const v1::Delivery& delivery);
SignalId IdOf(const sdk::SendResult& sent);
std::vector<std::string> CategoriesOf(const sdk::OpenedSignal& opened);
const v1::RecipientOutcome* OutcomeFor(const v1::SignalAccepted& accepted,
                                       const OrganisationId& recipient);
// The feed of a sender from its beginning, about one signal.
Result<std::vector<v1::OutcomeEvent>> FeedOf(sdk::Session& sender, const SignalId& signal);
// The records that match, all pages, as this auditor may read them.
Result<std::vector<v1::Record>> QueryAs(sdk::Session& auditor, const v1::RecordFilter& filter);
// All records of the log about a signal, as the region's auditor reads them.
Result<std::vector<v1::Record>> RecordsAbout(Region& region, const SignalId& signal);
// The reasons of the denied attempts of an organisation, oldest first.
Result<std::vector<std::string>> DeniedOf(Region& region, const std::string& name);
size_t CountKind(const std::vector<v1::Record>& records, v1::RecordKind kind);

// ---- Consent ----
// A statement of `subject`, recorded by `who`, valid from now on, without limits on its axes.
Result<StatementId> RecordConsent(sdk::Session& who, const v1::SubjectRef& subject,
                                  v1::StatementKind kind = v1::STATEMENT_KIND_CONSENT,
                                  Millis lasts = std::chrono::hours(1));
Result<sdk::WithdrawalOutcome> Withdraw(sdk::Session& who, const StatementId& statement);

// A suite of tests that share one region.
class RegionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { Begin({}); }
  static void Begin(RegionOptions options) { region_ = new Region(options); }
  static void TearDownTestSuite() {
    delete region_;
    region_ = nullptr;
  }
  static Region& region() { return *region_; }
  static sdk::Session& As(const std::string& name) { return region_->As(name); }
  static OrganisationId OinOf(const std::string& name) { return region_->OinOf(name); }

 private:
  static inline Region* region_ = nullptr;
};

// The same with a broker whose clock and disk the test steers.
class SteeredTest : public RegionTest {
 protected:
  static void SetUpTestSuite() { Begin({.steered = true}); }
  static testing::Steering& steering() { return region().steering(); }
};

}  // namespace schakel::e2e
