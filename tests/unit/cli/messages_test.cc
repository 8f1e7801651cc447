#include "clients/cli/messages.h"

#include <gtest/gtest.h>

#include <set>

#include "clients/cli/words.h"
#include "schakel/v1/flow.pb.h"

namespace schakel::cli {
namespace {

// The places {0}, {1}, ... in a text.
std::multiset<std::string> Places(const std::string& text) {
  std::multiset<std::string> places;
  for (size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '{' && text[i + 2] == '}') places.insert(text.substr(i, 3));
  }
  return places;
}

TEST(Messages, EachHasBothLanguagesWithTheSamePlaces) {
  ASSERT_GT(AllMessages().size(), 300u);
  for (const auto& message : AllMessages()) {
    EXPECT_NE(std::string(message.en), "") << message.name;
    EXPECT_NE(std::string(message.nl), "") << message.name;
    const auto en = Places(message.en);
    const auto nl = Places(message.nl);
    EXPECT_EQ(std::set(en.begin(), en.end()), std::set(nl.begin(), nl.end())) << message.name;
  }
}

TEST(Messages, NoSentenceIsTheSameInBothLanguages) {
  for (const auto& message : AllMessages()) {
    const std::string en = message.en;
    // Codes of flags and headings of one word may be alike; sentences may not.
    const bool sentence = en.find(". ") != std::string::npos || en.ends_with('.');
    if (sentence) {
      EXPECT_NE(en, message.nl) << message.name;
    }
  }
}

TEST(Messages, PutArgumentsInTheirPlaces) {
  EXPECT_EQ(Say(Language::kEnglish, Msg::kBetween, {"1", "64"}), "a number from 1 to 64");
  EXPECT_EQ(Say(Language::kDutch, Msg::kBetween, {"1", "64"}), "een getal van 1 tot en met 64");
  EXPECT_EQ(Say(Language::kEnglish, Msg::kExported, {"x"}),
            "Written: x. Nothing was verified yet: schakel audit verify x");
}

TEST(Words, EachHasBothLanguages) {
  for (const auto& word : AllWords()) {
    EXPECT_EQ(std::string(word.en).empty(), std::string(word.nl).empty()) << word.name;
  }
}

TEST(Words, EveryStateAndKindHasAName) {
  for (const auto* type :
       {v1::RecipientState_descriptor(), v1::RecordKind_descriptor(), v1::Role_descriptor(),
        v1::NoticeKind_descriptor(), v1::FlowMeasure_descriptor(), v1::FlowPeriodKind_descriptor(),
        v1::FlowBand_descriptor(), v1::StatementStanding_descriptor(), v1::Grantor_descriptor(),
        v1::IdentityCheck_descriptor(), v1::StatementKind_descriptor()}) {
    for (int i = 1; i < type->value_count(); ++i) {
      bool found = false;
      for (const auto& word : AllWords()) found = found || type->value(i)->name() == word.name;
      EXPECT_TRUE(found) << type->value(i)->name();
    }
  }
}

TEST(Words, AreReadBackFromTheirCodes) {
  EXPECT_EQ(CodeOfValue(
                v1::RecordKind_descriptor()->FindValueByNumber(v1::RECORD_KIND_DELIVERY_CANCELLED)),
            "delivery-cancelled");
  for (const auto* type : {v1::RecipientState_descriptor(), v1::RecordKind_descriptor()}) {
    for (int i = 1; i < type->value_count(); ++i) {
      EXPECT_EQ(ValueOfCode(type, CodeOfValue(type->value(i))), type->value(i));
    }
    EXPECT_EQ(ValueOfCode(type, "unspecified"), nullptr);
    EXPECT_EQ(ValueOfCode(type, "PUBLISH"), nullptr);
  }
}

TEST(Languages, ComeFromTheFirstLocaleThatIsSet) {
  const auto with = [](const char* name, const char* value) {
    return LanguageOfLocale([=](const char* asked) -> std::optional<std::string> {
      if (std::string(asked) == name) return value;
      if (std::string(asked) == "LANG") return "nl_NL.UTF-8";
      return std::nullopt;
    });
  };
  EXPECT_EQ(with("LC_ALL", "en_GB.UTF-8"), Language::kEnglish);
  EXPECT_EQ(with("LC_MESSAGES", "C"), Language::kEnglish);
  EXPECT_EQ(with("OTHER", "x"), Language::kDutch);
}

}  // namespace
}  // namespace schakel::cli
