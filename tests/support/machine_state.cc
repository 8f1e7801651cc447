// MachineFixture: what stands in the state.
#include "tests/support/machine_fixture.h"

namespace schakel::testing {

using store::Family;

namespace {

template <typename Message>
Message ParseAs(BytesView raw) {
  Message message;
  SCHAKEL_CHECK(message.ParseFromString(Bytes(raw)), "a stored value parses");
  return message;
}

}  // namespace

std::vector<v1::Record> MachineFixture::Records() const {
  std::vector<v1::Record> records;
  for (const auto& [key, value] : state_.Contents(Family::kRecords)) {
    auto stored = ParseAs<state::v1::StoredRecord>(value);
    records.push_back(ParseAs<v1::Record>(stored.record()));
  }
  return records;
}

std::vector<v1::Record> MachineFixture::RecordsOf(v1::RecordKind kind) const {
  std::vector<v1::Record> found;
  for (auto& record : Records()) {
    if (record.kind() == kind) found.push_back(std::move(record));
  }
  return found;
}

v1::Detail MachineFixture::DetailOf(uint64_t index) const {
  auto raw = state_.Get(Family::kRecords, machine::keys::Record(index));
  SCHAKEL_CHECK(raw.ok() && *raw, "the record is there");
  return ParseAs<v1::Detail>(ParseAs<state::v1::StoredRecord>(**raw).detail());
}

std::vector<v1::OutcomeEvent> MachineFixture::Feed(const OrganisationId& sender) const {
  std::vector<v1::OutcomeEvent> events;
  auto status = state_.ScanPrefix(Family::kHot, machine::keys::FeedPrefix(sender),
                                  [&](BytesView, BytesView value) {
                                    events.push_back(ParseAs<v1::OutcomeEvent>(value));
                                    return true;
                                  });
  SCHAKEL_CHECK(status.ok(), "the feed can be read");
  return events;
}

std::vector<state::v1::InboxItem> MachineFixture::Items(const OrganisationId& recipient) const {
  std::vector<state::v1::InboxItem> items;
  auto status = state_.ScanPrefix(Family::kHot, machine::keys::ItemPrefix(recipient),
                                  [&](BytesView, BytesView value) {
                                    items.push_back(ParseAs<state::v1::InboxItem>(value));
                                    return true;
                                  });
  SCHAKEL_CHECK(status.ok(), "the inbox can be read");
  return items;
}

size_t MachineFixture::CountKeys(Family family, const Bytes& prefix) const {
  size_t count = 0;
  auto status = state_.ScanPrefix(family, prefix, [&](BytesView, BytesView) {
    ++count;
    return true;
  });
  SCHAKEL_CHECK(status.ok(), "the state can be read");
  return count;
}

bool MachineFixture::HasContent(const OrganisationId& sender, BytesView signal_id) const {
  auto raw = state_.Get(Family::kContent,
                        machine::keys::SignalContent(sender, *SignalId::From(signal_id)));
  SCHAKEL_CHECK(raw.ok(), "the content can be read");
  return raw->has_value();
}

}  // namespace schakel::testing
