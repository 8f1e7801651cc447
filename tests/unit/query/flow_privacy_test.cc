// What no answer to a chain director holds, whatever happened: walked over the descriptors of the
// answers, and over the answers about 1,000 random histories.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "broker/query/flow.h"
#include "broker/query/flow_source.h"
#include "tests/unit/query/flow_history.h"

namespace schakel::query {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using schakel::testing::MachineFixture;
using schakel::testing::SeededBytes;

namespace sample = schakel::testing::sample;

constexpr size_t kHistories = 1000;

// ---- The descriptors ----

void WalkDescriptor(const google::protobuf::Descriptor* type,
                    std::set<const google::protobuf::Descriptor*>* seen) {
  if (!seen->insert(type).second) return;
  for (int i = 0; i < type->field_count(); ++i) {
    const auto* field = type->field(i);
    EXPECT_NE(field->type(), FieldDescriptor::TYPE_BYTES) << field->full_name();
    for (const char* word : {"subject", "signal_id", "case", "pseudonym", "bsn", "delivery",
                             "label", "digest", "record", "receipt", "actor"}) {
      EXPECT_EQ(field->name().find(word), std::string::npos) << field->full_name();
    }
    if (field->message_type() != nullptr) WalkDescriptor(field->message_type(), seen);
  }
}

TEST(FlowPrivacy, NoAnswerHasAFieldForWhatADirectorMustNotSee) {
  const auto* service = v1::GetFlowRequest::descriptor()->file()->FindServiceByName("FlowService");
  ASSERT_NE(service, nullptr);
  std::set<const google::protobuf::Descriptor*> seen;
  for (int i = 0; i < service->method_count(); ++i) {
    WalkDescriptor(service->method(i)->output_type(), &seen);
  }
  EXPECT_EQ(service->method_count(), 3);
  for (const auto* type : seen) {
    EXPECT_TRUE(type->full_name() == "schakel.v1.FunctionAddress" ||
                type->file() == v1::GetFlowRequest::descriptor()->file() ||
                type->full_name().starts_with("google.protobuf."))
        << type->full_name();
  }
}

// ---- The answers ----

// Every text and number of a message.
template <typename OnText, typename OnNumber>
void WalkValues(const Message& message, OnText on_text, OnNumber on_number) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const auto* field : fields) {
    const int size = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
    for (int i = 0; i < size; ++i) {
      switch (field->cpp_type()) {
        case FieldDescriptor::CPPTYPE_MESSAGE:
          WalkValues(field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                          : reflection->GetMessage(message, field),
                     on_text, on_number);
          break;
        case FieldDescriptor::CPPTYPE_STRING:
          on_text(field, field->is_repeated() ? reflection->GetRepeatedString(message, field, i)
                                              : reflection->GetString(message, field));
          break;
        case FieldDescriptor::CPPTYPE_UINT32:
          on_number(field, field->is_repeated() ? reflection->GetRepeatedUInt32(message, field, i)
                                                : reflection->GetUInt32(message, field));
          break;
        default:
          break;
      }
    }
  }
}

void ExpectNoSecret(const Message& message, const std::set<Bytes>& secrets) {
  std::set<std::string> texts;
  WalkValues(
      message, [&](const FieldDescriptor*, const std::string& text) { texts.insert(text); },
      [](const FieldDescriptor*, uint32_t) {});
  std::string all = message.SerializeAsString();
  for (const auto& text : texts) all += "\n" + text;
  for (const auto& secret : secrets) {
    // Six bytes are enough to know it by, in whatever form.
    const Bytes head = secret.substr(0, 6);
    ASSERT_EQ(all.find(head), std::string::npos);
    ASSERT_EQ(all.find(HexEncode(head)), std::string::npos);
    ASSERT_EQ(all.find(Base64Encode(head)), std::string::npos);
  }
}

void ExpectNoSmallCell(const v1::GetFlowResponse& flow) {
  WalkValues(
      flow, [](const FieldDescriptor*, const std::string&) {},
      [](const FieldDescriptor* field, uint32_t number) {
        ASSERT_TRUE(field->name() == "persons" || field->name() == "totals") << field->full_name();
        ASSERT_TRUE(number == 0 || number >= 10) << field->full_name() << " " << number;
        ASSERT_EQ(number % 5, 0u) << field->full_name();
      });
}

// ---- A count of the test's own ----

struct CellKey {
  v1::FlowMeasure measure;
  v1::FlowPeriodKind period_kind;
  v1::FlowPlace place;
  v1::FlowParties parties;
  int64_t begin = 0;
  std::string row;  // empty: the total
  auto operator<=>(const CellKey&) const = default;
};

std::map<CellKey, uint32_t> CellsOf(const v1::GetFlowResponse& flow) {
  std::map<CellKey, uint32_t> cells;
  for (const auto& table : flow.tables()) {
    CellKey key{table.measure(), table.period_kind(), table.place(), table.parties(), 0, ""};
    for (int p = 0; p < table.periods_size(); ++p) {
      key.begin = table.periods(p).begin().seconds();
      key.row.clear();
      cells[key] = table.totals(p);
      for (const auto& row : table.rows()) {
        key.row = row.area() + "|" + row.signal_type() + "|" + row.sender_sector() + "|" +
                  row.recipient_sector();
        cells[key] = row.persons(p);
      }
    }
  }
  return cells;
}

class FlowHistories : public ::testing::Test {
 protected:
  std::string SectorOf(const OrganisationId& oin) const { return f_.OrganisationOf(oin).sector(); }

  std::string AreaOf(const PastSignal& s) const {
    if (s.area == "wielwijk") return "dordrecht";
    if (!s.area.empty()) return s.area;
    const auto entry = f_.OrganisationOf(s.recipient);
    return entry.areas_size() == 1 && entry.areas(0) != "drechtsteden" ? entry.areas(0)
                                                                       : "zuid-holland-zuid";
  }

  // Persons of a cell, counted from the history and nothing else.
  size_t Count(const History& history, const CellKey& key, uint64_t end_us) const {
    const uint64_t begin_us = static_cast<uint64_t>(key.begin) * 1'000'000;
    std::set<Bytes> persons;
    for (const auto& s : history.signals) {
      const bool waits = s.sent_us < end_us && (s.ended_us == 0 || s.ended_us >= end_us);
      bool counts = false;
      switch (key.measure) {
        case v1::FLOW_MEASURE_SENT:
          counts = s.sent_us >= begin_us && s.sent_us < end_us;
          break;
        case v1::FLOW_MEASURE_WAITING:
          counts = waits;
          break;
        case v1::FLOW_MEASURE_WAITING_LONG:
          counts = waits && s.sent_us + kWeekUs < end_us;
          break;
        case v1::FLOW_MEASURE_STALLED:
          counts = waits && s.sent_us + 2 * kWeekUs / 7 <= end_us;
          break;
        default:
          counts = s.refused && s.ended_us >= begin_us && s.ended_us < end_us;
      }
      if (!counts) continue;
      const std::string area = key.place == v1::FLOW_PLACE_REGION ? "zuid-holland-zuid" : AreaOf(s);
      const std::string row = key.parties == v1::FLOW_PARTIES_SIGNAL_TYPE
                                  ? area + "|" + s.type + "||"
                                  : area + "||" + SectorOf(s.sender) + "|" + SectorOf(s.recipient);
      if (!key.row.empty() && key.row != row) continue;
      for (size_t p = 0; p < s.persons.size(); ++p) {
        const bool known = s.unlinked[p].empty() || s.attached_us < end_us;
        if (known && !s.persons[p].empty()) persons.insert(s.persons[p]);
      }
    }
    return persons.size();
  }

  v1::GetFlowResponse FlowOf(const History& history) {
    const auto state = StateOf(f_.state(), history, now_us_);
    auto flow = Flow().Get(*state, bundles_, wall_us_);
    SCHAKEL_CHECK(flow.ok(), "the figures can be made");
    return *std::move(flow);
  }

  MachineFixture f_;
  Bundles bundles_;
  // A Wednesday, long after the fixture's beginning.
  const uint64_t now_us_ = 1'800'000'000'000'000 / kWeekUs * kWeekUs + kWeekUs - 86'400'000'000;
  const uint64_t wall_us_ = now_us_ + 60'000'000;
  const uint64_t closed_us_ = ClosedPeriods(v1::FLOW_PERIOD_KIND_WEEK, now_us_, 1).front().end_us;
};

TEST_F(FlowHistories, HoldNoSecretNoSmallCellAndTheRightNumbers) {
  size_t shown = 0;
  size_t listed = 0;
  std::map<FlowLevel, size_t, decltype([](const FlowLevel& a, const FlowLevel& b) {
             return std::tuple(a.period, a.place, a.parties) <
                    std::tuple(b.period, b.place, b.parties);
           })>
      levels;
  const PageTokens tokens = PageTokens::Fresh();
  for (size_t seed = 0; seed < kHistories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededBytes random(seed);
    const History history = RandomHistory(&random, now_us_);
    const auto flow = FlowOf(history);
    const auto secrets = SecretsOf(history);
    ASSERT_EQ(flow.tables_size(), 5);
    ASSERT_NO_FATAL_FAILURE(ExpectNoSmallCell(flow));
    ASSERT_NO_FATAL_FAILURE(ExpectNoSecret(flow, secrets));
    for (const auto& table : flow.tables()) {
      ++levels[{table.period_kind(), table.place(), table.parties()}];
      std::map<int64_t, uint64_t> ends;
      for (const auto& period : table.periods()) {
        ends[period.begin().seconds()] = static_cast<uint64_t>(period.end().seconds()) * 1'000'000;
      }
      v1::GetFlowResponse only;
      *only.add_tables() = table;
      for (const auto& [key, number] : CellsOf(only)) {
        if (number == 0) continue;
        ++shown;
        const size_t persons = Count(history, key, ends.at(key.begin));
        ASSERT_GE(persons, 10u) << key.row;
        ASSERT_LE(std::abs(static_cast<int>(persons) - static_cast<int>(number)), 2)
            << table.ShortDebugString() << " " << key.row << " " << persons;
      }
    }
    const auto state = StateOf(f_.state(), history, now_us_);
    const auto stalled = ListStalled(*state, tokens, sample::kChainDirector, {});
    ASSERT_TRUE(stalled.ok());
    listed += static_cast<size_t>(stalled->signals_size());
    ASSERT_NO_FATAL_FAILURE(ExpectNoSecret(*stalled, secrets));
  }
  // That the histories tried what they say.
  EXPECT_GT(shown, 10'000u);
  EXPECT_GT(listed, 10'000u);
  EXPECT_GE(levels.size(), 7u) << "of the ladder's nine";
}

// Somebody who knows a person must not learn from a figure whether they were in it.
TEST_F(FlowHistories, APersonMoreMovesACellByOneStepAtMost) {
  size_t compared = 0;
  size_t moved = 0;
  for (size_t seed = 0; seed < kHistories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededBytes random(seed);
    const History history = RandomHistory(&random, now_us_);
    History more = history;
    PastSignal extra{
        sample::kPolice, random.Take(16), "debt", "dordrecht", sample::kDebtRelief, {}, {}, {}};
    // Where many others are, so that there is something to move.
    if (!history.signals.empty()) {
      const auto& like = history.signals[random.Below(history.signals.size())];
      extra.type = like.type;
      extra.sender = like.sender;
      extra.recipient = like.recipient;
      extra.area = like.area;
    }
    extra.persons = {random.Take(32)};
    extra.unlinked = {""};
    extra.sent_us = closed_us_ - 1 - random.Below(30 * 86'400'000'000);
    if (random.Below(2) == 0) extra.ended_us = extra.sent_us + random.Below(5 * 86'400'000'000);
    extra.refused = extra.ended_us != 0 && random.Below(2) == 0;
    more.signals.push_back(extra);
    const auto before = CellsOf(FlowOf(history));
    const auto after = CellsOf(FlowOf(more));
    for (const auto& [key, number] : before) {
      const auto found = after.find(key);
      if (found == after.end() || number == 0 || found->second == 0) continue;
      ++compared;
      moved += number != found->second;
      ASSERT_LE(std::abs(static_cast<int>(number) - static_cast<int>(found->second)), 5) << key.row;
    }
  }
  EXPECT_GT(compared, 10'000u);
  EXPECT_GT(moved, 100u);
}

// A week's figures are made from what was before its end: whatever comes later changes nothing.
TEST_F(FlowHistories, NothingMovesBeforeAWeekClosesOrAfterIt) {
  size_t later_signals = 0;
  for (size_t seed = 0; seed < kHistories; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededBytes random(seed);
    const History history = RandomHistory(&random, now_us_);
    const History closed = AsOf(history, closed_us_);
    later_signals += history.signals.size() - closed.signals.size();
    auto now = FlowOf(history);
    auto then = FlowOf(closed);
    for (auto* flow : {&now, &then}) {
      flow->clear_waiting_now();
      flow->clear_stalled_now();
    }
    ASSERT_EQ(now.SerializeAsString(), then.SerializeAsString());
  }
  EXPECT_GT(later_signals, 1000u);
}

}  // namespace
}  // namespace schakel::query
