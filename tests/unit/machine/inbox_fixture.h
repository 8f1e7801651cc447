// What the tests of the inbox share: arrears on their way to debt relief.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/machine_fixture.h"

namespace schakel::testing {

inline Bytes SignalOf(const machine::LeasedItem& item) {
  v1::Header header;
  EXPECT_TRUE(header.ParseFromString(item.delivery.signal().header()));
  return header.signal_id();
}

inline std::vector<Bytes> SignalsOf(const machine::Leased& leased) {
  std::vector<Bytes> ids;
  for (const auto& item : leased.items) ids.push_back(SignalOf(item));
  return ids;
}

class Inbox : public ::testing::Test {
 protected:
  Bytes Send(v1::Urgency urgency = v1::URGENCY_NORMAL, std::optional<CaseId> case_id = {}) {
    auto spec = f_.Arrears();
    spec.urgency = urgency;
    spec.case_id = case_id;
    return f_.Accept(spec).signal_id();
  }
  v1::OutcomeEvent LastEvent() { return f_.Feed(sample::kCorporation).back(); }
  DeliveryId PullOne() { return f_.Pull(sample::kDebtRelief, 1).items.at(0).delivery_id; }

  MachineFixture f_;
};

}  // namespace schakel::testing
