#include "broker/query/reading.h"

#include "broker/machine/keys.h"
#include "broker/machine/machine.h"

namespace schakel::query {

Error Damaged(const std::string& what) {
  return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", what);
}

Error NotFound(const std::string& what, const std::string& field) {
  return MakeError(ErrorCode::kNotFound, "NOT_FOUND", what, field);
}

Result<state::v1::Meta> MetaOf(const store::StateReader& state) {
  SCHAKEL_ASSIGN(auto meta, machine::ReadMeta(state));
  if (!meta) {
    return MakeError(ErrorCode::kUnavailable, "NOT_SERVING", "the log has not begun yet");
  }
  return *std::move(meta);
}

Result<state::v1::StoredRecord> RecordAt(const store::StateReader& state, uint64_t index) {
  SCHAKEL_ASSIGN(auto stored, Read<state::v1::StoredRecord>(state, store::Family::kRecords,
                                                            machine::keys::Record(index)));
  if (!stored) return Damaged("a record is missing");
  return *std::move(stored);
}

}  // namespace schakel::query
