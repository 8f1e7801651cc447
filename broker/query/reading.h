// Reading values of the state, and the errors that all queries share. A query reads one snapshot
// of what is durable (store::Snapshot), so that its answer holds together.
#pragma once

#include <optional>

#include "broker/base/result.h"
#include "broker/store/state_reader.h"
#include "schakel/state/v1/state.pb.h"

namespace schakel::query {

// DATA_LOSS: what the state says does not hold together.
Error Damaged(const std::string& what);
// One answer for what is not there and for what the caller may not see.
Error NotFound(const std::string& what, const std::string& field);

// The value of a key as a message; nullopt when the key is absent.
template <typename Message>
Result<std::optional<Message>> Read(const store::StateReader& state, store::Family family,
                                    const Bytes& key) {
  SCHAKEL_ASSIGN(auto raw, state.Get(family, key));
  if (!raw) return std::optional<Message>();
  Message message;
  if (!message.ParseFromString(*raw)) {
    return Damaged("a stored value is no " + message.GetDescriptor()->name());
  }
  return std::optional<Message>(std::move(message));
}

// Where the state stands. UNAVAILABLE NOT_SERVING in an empty store.
Result<state::v1::Meta> MetaOf(const store::StateReader& state);

// A stored record. DATA_LOSS when it is missing: REQUIRES index < Meta.tree_size.
Result<state::v1::StoredRecord> RecordAt(const store::StateReader& state, uint64_t index);

}  // namespace schakel::query
