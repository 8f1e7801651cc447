// Page tokens and page sizes, the same for every list.
//
// A token is the place where the next page begins, sealed: it shows nothing (a place in the log
// could tell that somebody else's record stands there), and it opens only for the list, the caller
// and the filter that it was given for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/base/bytes.h"
#include "broker/base/ids.h"
#include "broker/base/limits.h"
#include "broker/base/result.h"
#include "broker/crypto/secret.h"

namespace google::protobuf {
class Message;
}

namespace schakel::audit {

// What a token belongs to. Two lists that differ in anything here have different tokens.
struct ListId {
  std::string rpc;     // such as ListSignals
  std::string caller;  // OIN
  Bytes filter;        // of the request; see FilterOf
};

// Thread-safe.
class PageTokens {
 public:
  // REQUIRES: a key of 32 bytes. Tokens of another key are refused.
  explicit PageTokens(crypto::SecretBytes key);
  // With a key of its own: tokens end with the process, and clients begin anew.
  static PageTokens Fresh();

  // INTERNAL when the library fails.
  Result<std::string> Seal(const ListId& list, BytesView cursor) const;
  // The cursor; nullopt for an empty token: the first page. PAGE_TOKEN_INVALID for everything that
  // Seal did not give for this list.
  Result<std::optional<Bytes>> Open(const ListId& list, const std::string& token) const;

 private:
  crypto::SecretBytes key_;
};

// The bytes of a request that its token is bound to: all of it but request_id, page_size and
// page_token.
Bytes FilterOf(const google::protobuf::Message& request);

// 0 means limits::kPageSizeDefault. FIELD_INVALID, field page_size, above limits::kPageSizeMax.
Result<uint32_t> PageSize(uint32_t requested);

// Room of one page: so many items, and so many bytes that the answer fits in a message. A page
// holds at least one item, however large.
class PageRoom {
 public:
  explicit PageRoom(uint32_t items_max, size_t bytes_max = limits::kQueryPageBytesMax)
      : items_(items_max), bytes_(bytes_max) {}
  // Takes the room of an item; false when it belongs on the next page.
  bool Take(size_t bytes) {
    if (items_ == 0 || (taken_ && bytes > bytes_)) return false;
    --items_;
    bytes_ -= bytes < bytes_ ? bytes : bytes_;
    taken_ = true;
    return true;
  }

 private:
  uint32_t items_;
  size_t bytes_;
  bool taken_ = false;
};

// Where a list of records goes on: later pages keep to the tree that the first one saw.
struct PagePlace {
  uint64_t next = 0;
  uint64_t tree_size = 0;

  Bytes Encode() const { return ByteWriter().U64(next).U64(tree_size).Take(); }
  // PAGE_TOKEN_INVALID.
  static Result<PagePlace> Parse(BytesView raw);
  // Where a page begins: as its token says, or at the beginning. Never beyond the tree that was
  // granted. PAGE_TOKEN_INVALID.
  static Result<PagePlace> At(const PageTokens& tokens, const ListId& list,
                              const std::string& page_token, uint64_t granted_size);
};

}  // namespace schakel::audit
