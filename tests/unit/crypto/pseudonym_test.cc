#include "broker/crypto/pseudonym.h"

#include <gtest/gtest.h>

#include "tests/unit/crypto/pseudonym_fixture.h"
#include "tests/unit/crypto/vector_file.h"

namespace schakel::crypto {
namespace {

SecretScalar TestKey() {
  return SecretScalar::Decode(
             Hex(LoadVectors("schakel/formats-1.json")["pseudonym"]["private_key"]))
      .value();
}

std::vector<std::string> TestBsns() {
  return LoadVectors("identifiers/rvig-test-bsn.json")["valid"].get<std::vector<std::string>>();
}

std::vector<std::string_view> Views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

TEST(Pseudonym, EqualsThePublishedValuesUnderEveryChoiceOfCustodians) {
  const auto vectors = LoadVectors("schakel/formats-1.json")["pseudonym"];
  std::vector<std::string> bsns;
  std::vector<Digest> expected;
  for (const auto& v : vectors["values"]) {
    bsns.push_back(v["bsn"].get<std::string>());
    expected.push_back(HexDigest(v["value"]));
    EXPECT_EQ(PseudonymInput(bsns.back())->ExposeSecret(), Hex(v["input"]));
  }
  ASSERT_EQ(bsns.size(), 8u);
  const std::vector<std::pair<uint8_t, std::vector<std::vector<uint8_t>>>> cases = {
      {1, {{1}}},
      {3, {{1, 2}, {1, 3}, {2, 3}, {3, 1}}},
      {5,
       {{1, 2, 3},
        {1, 2, 4},
        {1, 2, 5},
        {1, 3, 4},
        {1, 3, 5},
        {1, 4, 5},
        {2, 3, 4},
        {2, 3, 5},
        {2, 4, 5},
        {3, 4, 5}}},
  };
  for (const auto& [count, choices] : cases) {
    const auto threshold = static_cast<uint8_t>(choices[0].size());
    const Custody custody = Custody::Of(TestKey(), threshold, count);
    EXPECT_EQ(custody.document.public_key().str(), Hex(vectors["public_key"]));
    const auto request = PseudonymRequest::Begin(Views(bsns)).value();
    for (const auto& choice : choices) {
      std::vector<CustodianAnswer> answers;
      for (uint8_t x : choice) answers.push_back(custody.Answer(x, request.blinded_elements()));
      auto values = request.Combine(custody.document, answers);
      ASSERT_TRUE(values.ok()) << values.error().message;
      EXPECT_EQ(*values, expected);
    }
  }
}

TEST(Pseudonym, TakesAllPublishedTestNumbers) {
  const auto bsns = TestBsns();
  ASSERT_EQ(bsns.size(), 783u);
  for (const std::string& bsn : bsns) EXPECT_TRUE(PseudonymInput(bsn).ok()) << bsn;
}

TEST(Pseudonym, RefusesWhatFailsTheElfproef) {
  size_t refused = 0;
  for (const auto& c : LoadVectors("identifiers/elfproef-cases.json")) {
    const auto bsn = c["bsn"].get<std::string>();
    auto input = PseudonymInput(bsn);
    // 8 digits are padded first; the cases say what 9 digits are worth.
    const bool valid = bsn.size() == 8 ? PassesElfproef("0" + bsn) : c["valid"].get<bool>();
    EXPECT_EQ(input.ok(), valid) << c;
    if (input.ok()) continue;
    ++refused;
    EXPECT_EQ(input.error().reason, "BSN_INVALID");
    if (!bsn.empty()) {
      EXPECT_EQ(input.error().message.find(bsn), std::string::npos) << c;
    }
  }
  EXPECT_GT(refused, 50u);
  EXPECT_FALSE(PseudonymInput("000000000").ok());
  EXPECT_FALSE(PseudonymInput("00000000").ok());
}

TEST(Pseudonym, PadsEightDigits) {
  EXPECT_EQ(PseudonymInput("10082426")->ExposeSecret(),
            PseudonymInput("010082426")->ExposeSecret());
}

class Combining : public testing::Test {
 protected:
  std::vector<CustodianAnswer> Answers(std::initializer_list<uint8_t> xs) const {
    std::vector<CustodianAnswer> answers;
    for (uint8_t x : xs) answers.push_back(custody_.Answer(x, request_.blinded_elements()));
    return answers;
  }
  void ExpectBlamed(const std::vector<CustodianAnswer>& answers, uint8_t x) const {
    auto values = request_.Combine(custody_.document, answers);
    ASSERT_FALSE(values.ok());
    EXPECT_EQ(values.error().reason, "CUSTODIAN_ANSWER_INVALID");
    EXPECT_NE(values.error().message.find(CustodianOin(x).str()), std::string::npos)
        << values.error().message;
  }

  const Custody custody_ = Custody::Of(SecretScalar::Random(), 2, 3);
  const PseudonymRequest request_ =
      PseudonymRequest::Begin(std::vector<std::string_view>{"999990019", "000009830"}).value();
};

TEST_F(Combining, GivesOneValuePerNumber) {
  const auto values = request_.Combine(custody_.document, Answers({1, 3})).value();
  ASSERT_EQ(values.size(), 2u);
  EXPECT_NE(values[0], values[1]);
  // More answers than needed change nothing.
  EXPECT_EQ(request_.Combine(custody_.document, Answers({3, 2, 1})).value(), values);
}

TEST_F(Combining, NamesTheCustodianOfAFalseShare) {
  auto answers = Answers({1});
  answers.push_back(Custody::AnswerWith(3, SecretScalar::Random(), request_.blinded_elements()));
  ExpectBlamed(answers, 3);
  // Another custodian's share is a false one too.
  answers.back() =
      Custody::AnswerWith(3, custody_.dealing.shares[1].secret, request_.blinded_elements());
  ExpectBlamed(answers, 3);
}

TEST_F(Combining, NamesTheCustodianOfAFalseProof) {
  auto answers = Answers({1, 2});
  for (size_t bit = 0; bit < kOprfProofBytes * 8; bit += 7) {
    auto changed = answers;
    changed[1].proof = FlipBit(changed[1].proof, bit);
    ExpectBlamed(changed, 2);
  }
  auto changed = answers;
  changed[0].proof.pop_back();
  ExpectBlamed(changed, 1);
}

TEST_F(Combining, NamesTheCustodianOfAFalseElement) {
  const auto answers = Answers({1, 2});
  for (size_t bit = 0; bit < kPointBytes * 8; bit += 5) {
    auto changed = answers;
    changed[0].elements[1] = FlipBit(changed[0].elements[1], bit);
    ExpectBlamed(changed, 1);
  }
  auto changed = answers;
  changed[0].elements[0] = Bytes(32, '\0');
  ExpectBlamed(changed, 1);
  changed = answers;
  std::swap(changed[1].elements[0], changed[1].elements[1]);
  ExpectBlamed(changed, 2);
  changed = answers;
  changed[1].elements.pop_back();
  ExpectBlamed(changed, 2);
}

TEST_F(Combining, RefusesASecondOrAStrangersAnswer) {
  auto answers = Answers({1});
  answers.push_back(answers[0]);
  ExpectBlamed(answers, 1);
  answers[1].custodian = CustodianOin(4);
  ExpectBlamed(answers, 4);
  // An answer under another custodian's name: the proof is against that one's share.
  answers[1].custodian = CustodianOin(2);
  ExpectBlamed(answers, 2);
}

TEST_F(Combining, NeedsAsManyAnswersAsTheThreshold) {
  for (const auto& answers : {Answers({}), Answers({2})}) {
    auto values = request_.Combine(custody_.document, answers);
    ASSERT_FALSE(values.ok());
    EXPECT_EQ(values.error().reason, "CUSTODIANS_TOO_FEW");
  }
}

// During a rotation the same blinded elements are evaluated under two keys.
TEST_F(Combining, WorksUnderTwoKeyDocuments) {
  const Custody next = Custody::Of(SecretScalar::Random(), 2, 3, 2);
  std::vector<CustodianAnswer> answers = {next.Answer(1, request_.blinded_elements()),
                                          next.Answer(2, request_.blinded_elements())};
  const auto old_values = request_.Combine(custody_.document, Answers({1, 2})).value();
  const auto new_values = request_.Combine(next.document, answers).value();
  EXPECT_NE(old_values, new_values);
  ExpectBlamed(answers, 1);
}

TEST(PseudonymBatch, SaysWhichNumberIsWrong) {
  auto request = PseudonymRequest::Begin(std::vector<std::string_view>{"999990019", "999990018"});
  ASSERT_FALSE(request.ok());
  EXPECT_EQ(request.error().reason, "BSN_INVALID");
  EXPECT_EQ(request.error().field, "bsn[1]");
}

TEST(PseudonymBatch, HasALimit) {
  auto none = PseudonymRequest::Begin({});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().reason, "FIELD_INVALID");
  const std::vector<std::string_view> most(limits::kEvaluateBatchMax, "999990019");
  auto request = PseudonymRequest::Begin(most);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->blinded_elements().size(), most.size());
  const std::vector<std::string_view> many(limits::kEvaluateBatchMax + 1, "999990019");
  auto too_many = PseudonymRequest::Begin(many);
  ASSERT_FALSE(too_many.ok());
  EXPECT_EQ(too_many.error().reason, "TOO_LARGE");
}

}  // namespace
}  // namespace schakel::crypto
