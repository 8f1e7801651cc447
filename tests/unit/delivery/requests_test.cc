#include "broker/delivery/requests.h"

#include <gtest/gtest.h>

namespace schakel::delivery {
namespace {

template <typename T>
void ExpectRefused(const Result<T>& result, const char* reason, const char* field) {
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, reason);
  EXPECT_EQ(result.error().field, field);
}

TEST(Lease, TakesThirtySecondsToTwelveHours) {
  google::protobuf::Duration lease;
  for (int64_t good : {30, 60, 12 * 3600}) {
    lease.set_seconds(good);
    EXPECT_TRUE(ReadLease(&lease, Micros(0), "lease").ok()) << good;
  }
  for (int64_t bad : {-1L, 0L, 29L, 12L * 3600 + 1, INT64_MAX, INT64_MIN}) {
    lease.set_seconds(bad);
    ExpectRefused(ReadLease(&lease, Micros(0), "lease"), "FIELD_INVALID", "lease");
  }
  lease.set_seconds(60);
  lease.set_nanos(-1);
  ExpectRefused(ReadLease(&lease, Micros(0), "lease"), "FIELD_INVALID", "lease");
  EXPECT_EQ(*ReadLease(nullptr, Micros(7), "lease"), Micros(7));
}

TEST(Settlements, NameTheFieldThatIsWrong) {
  ExpectRefused(ToCommand(v1::AcknowledgeRequest()), "FIELD_MISSING", "delivery_id");
  v1::ReleaseRequest release;
  release.set_delivery_id("short");
  ExpectRefused(ToCommand(release), "FIELD_INVALID", "delivery_id");
  v1::ExtendRequest extend;
  extend.set_delivery_id(Bytes(16, 'd'));
  ExpectRefused(ToCommand(extend), "FIELD_MISSING", "lease");
  v1::RefuseRequest refuse;
  refuse.set_delivery_id(Bytes(16, 'd'));
  ExpectRefused(ToCommand(refuse), "FIELD_MISSING", "reason_text");
  refuse.set_reason_text(std::string(501, 'x'));
  ExpectRefused(ToCommand(refuse), "TOO_LARGE", "reason_text");
  refuse.set_reason_text("not ours");
  refuse.set_reason_code("WHATEVER");
  ExpectRefused(ToCommand(refuse), "FIELD_INVALID", "reason_code");
  refuse.set_reason_code("SUBJECT_MISMATCH");
  EXPECT_TRUE(ToCommand(refuse).ok());
  refuse.mutable_redirect()->set_function("debt-relief");
  ExpectRefused(ToCommand(refuse), "FIELD_MISSING", "redirect.area");
}

TEST(Acknowledgements, NameEachDeliveryOnceAndAtMost256) {
  v1::AcknowledgementBatch batch;
  ExpectRefused(ReadAcknowledgements(batch), "FIELD_MISSING", "delivery_ids");
  for (int i = 0; i < 256; ++i) {
    batch.add_delivery_ids(Bytes(15, 'd') + static_cast<char>(i));
  }
  const auto ids = ReadAcknowledgements(batch);
  ASSERT_TRUE(ids.ok());
  ASSERT_EQ(ids->size(), 256u);
  EXPECT_EQ(ids->at(7).str(), batch.delivery_ids(7));
  batch.set_delivery_ids(9, batch.delivery_ids(7));
  ExpectRefused(ReadAcknowledgements(batch), "FIELD_INVALID", "delivery_ids[9]");
  batch.set_delivery_ids(9, "short");
  ExpectRefused(ReadAcknowledgements(batch), "FIELD_INVALID", "delivery_ids[9]");
  batch.set_delivery_ids(9, "");
  ExpectRefused(ReadAcknowledgements(batch), "FIELD_MISSING", "delivery_ids[9]");
  batch.set_delivery_ids(9, Bytes(16, 'n'));
  batch.add_delivery_ids(Bytes(16, 'x'));
  ExpectRefused(ReadAcknowledgements(batch), "TOO_LARGE", "delivery_ids");
}

TEST(Fetch, TakesOneToSixtyFourItems) {
  v1::FetchRequest fetch;
  ExpectRefused(ToCommand(fetch), "FIELD_MISSING", "fetch_id");
  fetch.set_fetch_id(Bytes(16, 'f'));
  ExpectRefused(ToCommand(fetch), "FIELD_MISSING", "max_items");
  for (uint32_t bad : {65u, UINT32_MAX}) {
    fetch.set_max_items(bad);
    ExpectRefused(ToCommand(fetch), "FIELD_INVALID", "max_items");
  }
  fetch.set_max_items(64);
  EXPECT_TRUE(ToCommand(fetch).ok());
}

}  // namespace
}  // namespace schakel::delivery
