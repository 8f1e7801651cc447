#include "broker/query/policy.h"

#include "tests/unit/query/query_fixture.h"

namespace schakel::query {
namespace {

using schakel::testing::Reference;
using schakel::testing::ReferenceWithVersion;

class PolicyTest : public QueryTest {
 protected:
  void Activate(const schakel::testing::ReferenceBundle& bundle) {
    machine::ActivatePolicy activate{bundle.bytes, bundle.digest, bundle.compiled};
    ASSERT_FALSE(f.DoAs(sample::kRegistrar, std::move(activate)).refused);
  }
  static v1::ExplainRequest Question() {
    v1::ExplainRequest request;
    request.set_sender(sample::kPolice.str());
    request.set_recipient(sample::kCentre.str());
    request.set_signal_type("domestic-violence-report");
    request.set_purpose("stop-domestic-violence");
    request.set_category("safety");
    request.set_ground("wmo-veilig-thuis");
    request.set_subject_linked(true);
    request.set_language("nl");
    return request;
  }
};

TEST_F(PolicyTest, GivesTheActiveBundleAndThoseBeforeIt) {
  auto next = ReferenceWithVersion("2026.2");
  Activate(next);
  auto active = GetPolicy(state(), {});
  ASSERT_TRUE(active.ok());
  EXPECT_EQ(active->bundle(), next.bytes);
  EXPECT_TRUE(active->active());
  v1::GetPolicyRequest request;
  request.set_digest(Reference().digest.str());
  auto before = GetPolicy(state(), request);
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->bundle(), Reference().bytes);
  EXPECT_FALSE(before->active());
  EXPECT_LE(before->activated().seconds(), active->activated().seconds());
  request.set_digest(Bytes(32, 'x'));
  EXPECT_EQ(GetPolicy(state(), request).error().reason, "NOT_FOUND");
  request.set_digest("short");
  EXPECT_EQ(GetPolicy(state(), request).error().field, "digest");
}

TEST_F(PolicyTest, ExplainsWhatTheMachineWouldDecide) {
  auto permitted = Explain(state(), bundles, Question());
  ASSERT_TRUE(permitted.ok());
  EXPECT_EQ(permitted->outcome(), v1::OUTCOME_PERMITTED);
  EXPECT_EQ(permitted->rule(), "violence-to-centre");
  EXPECT_FALSE(permitted->steps().empty());
  EXPECT_EQ(permitted->bundle_digest(), Reference().digest.str());

  auto question = Question();
  question.set_recipient(sample::kTeam.str());
  auto denied = Explain(state(), bundles, question);
  ASSERT_TRUE(denied.ok());
  EXPECT_EQ(denied->outcome(), v1::OUTCOME_DENIED);
  EXPECT_EQ(denied->reason(), "NO_RULE");
  EXPECT_TRUE(denied->rule().empty());
}

TEST_F(PolicyTest, ExplainsWithAndWithoutAnAssumedConsent) {
  auto question = Question();
  question.set_sender(sample::kCare.str());
  question.set_recipient(sample::kTeam.str());
  question.set_signal_type("care-avoidance");
  question.set_purpose("coordinate-care");
  question.set_category("daily-living");
  question.set_ground("consent");
  EXPECT_EQ(Explain(state(), bundles, question)->reason(), "NO_CONSENT");
  question.set_assume_consent(true);
  EXPECT_EQ(Explain(state(), bundles, question)->outcome(), v1::OUTCOME_PERMITTED);
  question.set_subject_linked(false);
  EXPECT_EQ(Explain(state(), bundles, question)->reason(), "UNLINKED_SUBJECT");
}

TEST_F(PolicyTest, ExplainsFunctionsAndOlderBundles) {
  auto question = Question();
  question.clear_recipient();
  EXPECT_EQ(Explain(state(), bundles, question).error().field, "recipient");
  question.mutable_function()->set_function("domestic-violence-centre");
  question.mutable_function()->set_area("dordrecht");
  EXPECT_EQ(Explain(state(), bundles, question)->outcome(), v1::OUTCOME_PERMITTED);
  Activate(ReferenceWithVersion("2026.2"));
  question.set_digest(Reference().digest.str());
  auto old = Explain(state(), bundles, question);
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->bundle_digest(), Reference().digest.str());
  question.mutable_function()->set_area("rotterdam");
  EXPECT_EQ(Explain(state(), bundles, question).error().reason, "FUNCTION_UNRESOLVED");
}

TEST_F(PolicyTest, RefusesQuestionsThatMissSomething) {
  auto question = Question();
  question.clear_signal_type();
  EXPECT_EQ(Explain(state(), bundles, question).error().field, "signal_type");
  question = Question();
  question.set_sender("1");
  EXPECT_EQ(Explain(state(), bundles, question).error().field, "sender");
  question = Question();
  question.set_sender("00000099000000009999");
  EXPECT_EQ(Explain(state(), bundles, question).error().reason, "NOT_FOUND");
  question = Question();
  for (int i = 0; i < 17; ++i) question.add_attested_conditions("immediate-danger");
  EXPECT_EQ(Explain(state(), bundles, question).error().reason, "TOO_LARGE");
  question = Question();
  question.set_digest(Bytes(32, 'x'));
  EXPECT_EQ(Explain(state(), bundles, question).error().field, "digest");
}

TEST_F(PolicyTest, KeepsBundlesInUseCompiledAndForgetsOlderOnes) {
  auto first = bundles.Active(state());
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(bundles.Active(state())->bundle, first->bundle);  // not compiled anew
  for (int i = 0; i < 9; ++i) {
    Activate(ReferenceWithVersion("v" + std::to_string(i)));
    ASSERT_TRUE(bundles.Active(state()).ok());
  }
  auto again = bundles.Of(state(), first->digest);
  ASSERT_TRUE(again.ok());
  EXPECT_NE(*again, first->bundle);
}

}  // namespace
}  // namespace schakel::query
