// One page of the values under a prefix, for lists whose cursor is a key behind its prefix.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <utility>

#include "broker/query/page_token.h"
#include "broker/store/state_reader.h"

namespace schakel::query {

// Adds rows from the key prefix + `from` on, as far as there is room: `make` gets a key behind its
// prefix and the value, and gives a Result<Row>. Returns where the next page begins, empty at the
// end; or what `make` failed with.
template <typename Row, typename Make>
Result<Bytes> ScanPage(const store::StateReader& state, store::Family family, const Bytes& prefix,
                       const Bytes& from, PageRoom room, Make&& make,
                       google::protobuf::RepeatedPtrField<Row>* rows) {
  Status failed;
  Bytes next;
  SCHAKEL_TRY(state.Scan(family, prefix + from, store::PrefixEnd(prefix),
                         [&](BytesView key, BytesView value) {
                           const BytesView rest = key.substr(prefix.size());
                           Result<Row> row = make(rest, value);
                           if (!row.ok()) {
                             failed = row.error();
                             return false;
                           }
                           if (!room.Take(row->ByteSizeLong())) {
                             next = Bytes(rest);
                             return false;
                           }
                           *rows->Add() = *std::move(row);
                           return true;
                         }));
  SCHAKEL_TRY(std::move(failed));
  return next;
}

}  // namespace schakel::query
