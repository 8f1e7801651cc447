// Looks at the past, as the broker takes them: a command that records the look and grants its
// moment, then the reading.
#pragma once

#include <functional>
#include <string>

#include "broker/machine/context.h"
#include "broker/query/state_at.h"
#include "tests/unit/query/query_fixture.h"

namespace schakel::query {

class StateAtTest : public QueryTest {
 protected:
  v1::GetStateAtRequest Ask(v1::StatePart part) {
    v1::GetStateAtRequest request;
    request.set_request_id(f.random().Take(16));
    request.set_part(part);
    return request;
  }
  v1::GetStateAtRequest AskAt(v1::StatePart part, Micros at) {
    auto request = Ask(part);
    machine::SetTimestamp(static_cast<uint64_t>(at.count()), request.mutable_at());
    return request;
  }
  v1::GetStateAtRequest AskAfter(v1::StatePart part, uint64_t index) {
    auto request = Ask(part);
    request.set_index(index);
    return request;
  }
  // Consents and objections of `subject`.
  v1::GetStateAtRequest AskOf(const v1::SubjectRef& subject, Micros at) {
    auto request = AskAt(v1::STATE_PART_STATEMENTS, at);
    *request.mutable_subject() = subject;
    request.set_ground("supervision");
    request.set_reference("A-1");
    return request;
  }

  // One page.
  Result<v1::GetStateAtResponse> Page(const OrganisationId& auditor,
                                      const v1::GetStateAtRequest& request) {
    machine::RecordQuery look;
    look.rpc = "GetStateAt";
    if (request.has_subject()) look.subject = request.subject();
    look.words = WordsOf(request);
    look.moment = MomentAsked(request);
    auto outcome = f.DoAs(auditor, std::move(look));
    if (outcome.refused) return *outcome.refused;
    return StateAt(state(), bundles, tokens, auditor,
                   std::get<machine::QueryGrant>(std::move(outcome.answer)), request);
  }
  std::string WhyNot(const OrganisationId& auditor, const v1::GetStateAtRequest& request) {
    const auto page = Page(auditor, request);
    return page.ok() ? "" : page.error().reason + " " + page.error().field;
  }

  // All pages in one; sums of sweeps stand one behind the other.
  v1::GetStateAtResponse All(const OrganisationId& auditor, v1::GetStateAtRequest request,
                             uint32_t page_size = 0, const std::function<void()>& between = {}) {
    request.set_page_size(page_size);
    v1::GetStateAtResponse all;
    for (;;) {
      auto page = Page(auditor, request);
      EXPECT_TRUE(page.ok()) << page.error().reason << " " << page.error().message;
      if (!page.ok()) return all;
      if (page_size > 0) {
        EXPECT_LE(page->organisations_size() + page->statements_size(),
                  static_cast<int>(page_size));
      }
      request.set_page_token(page->next_page_token());
      all.clear_policy();
      all.MergeFrom(*page);
      if (request.page_token().empty()) return all;
      if (between) between();
    }
  }
  v1::GetStateAtResponse AtRegion(const v1::GetStateAtRequest& request) {
    return All(sample::kRegionAuditor, request);
  }

  // Index of the newest record.
  uint64_t Newest() { return f.machine().meta().tree_size() - 1; }

  // Activates a bundle; the index of the record.
  uint64_t Activate(const schakel::testing::ReferenceBundle& bundle) {
    auto outcome = f.DoAs(sample::kRegistrar,
                          machine::ActivatePolicy{bundle.bytes, bundle.digest, bundle.compiled});
    SCHAKEL_CHECK(!outcome.refused, "a bundle is activated");
    return Newest();
  }
  // Changes or admits an entry; the index of the record.
  uint64_t Admit(const v1::Organisation& organisation) {
    machine::AdmitOrganisation admit;
    *admit.request.mutable_organisation() = organisation;
    admit.request.set_expected_version(
        f.CallerOf(*OrganisationId::From(organisation.oin())).entry_version);
    auto outcome = f.DoAs(sample::kRegistrar, std::move(admit));
    SCHAKEL_CHECK(!outcome.refused, "an organisation is admitted");
    return Newest();
  }
  // The region's auditor stays that for another year: its scope ends by itself.
  void KeepRegionScope() {
    auto entry = f.OrganisationOf(sample::kRegionAuditor);
    entry.mutable_audit_scope_until()->set_seconds(f.now().count() / 1'000'000 + 365 * 86'400);
    Admit(entry);
  }
  uint64_t Disable(const OrganisationId& oin) {
    machine::DisableOrganisation disable;
    disable.request.set_oin(oin.str());
    disable.request.set_reason("contract ended");
    SCHAKEL_CHECK(!f.DoAs(sample::kRegistrar, std::move(disable)).refused, "it is disabled");
    return Newest();
  }
};

}  // namespace schakel::query
