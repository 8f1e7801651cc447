#include "broker/audit/page_token.h"

#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "broker/crypto/aead.h"
#include "broker/crypto/hash.h"
#include "broker/crypto/random.h"

namespace schakel::audit {

namespace {

Bytes Binding(const ListId& list) {
  return ByteWriter()
      .Raw("schakel/v1/page-token\n")
      .Lp(list.rpc)
      .Lp(list.caller)
      .Raw(crypto::Sha256(list.filter).view())
      .Take();
}

Error Refused() {
  return InvalidArgument("PAGE_TOKEN_INVALID", "page_token",
                         "a token of this list with this filter, or none, expected");
}

}  // namespace

PageTokens::PageTokens(crypto::SecretBytes key) : key_(std::move(key)) {
  SCHAKEL_CHECK(key_.size() == crypto::kAesGcmKeyBytes, "page tokens need a key of 32 bytes");
}

PageTokens PageTokens::Fresh() { return PageTokens(crypto::RandomSecret(crypto::kAesGcmKeyBytes)); }

Result<std::string> PageTokens::Seal(const ListId& list, BytesView cursor) const {
  Bytes nonce = crypto::RandomBytes(crypto::kAesGcmNonceBytes);
  SCHAKEL_ASSIGN(auto sealed, crypto::SealAes256Gcm(key_, nonce, Binding(list), cursor));
  std::string token = Base64Encode(nonce + sealed);
  SCHAKEL_CHECK(token.size() <= limits::kPageTokenBytesMax, "I10: a page token is too long");
  return token;
}

Result<std::optional<Bytes>> PageTokens::Open(const ListId& list, const std::string& token) const {
  if (token.empty()) return std::optional<Bytes>();
  if (token.size() > limits::kPageTokenBytesMax) return Refused();
  auto raw = Base64Decode(token);
  if (!raw || raw->size() < crypto::kAesGcmNonceBytes + crypto::kAesGcmTagBytes) return Refused();
  BytesView nonce = BytesView(*raw).substr(0, crypto::kAesGcmNonceBytes);
  BytesView sealed = BytesView(*raw).substr(crypto::kAesGcmNonceBytes);
  SCHAKEL_ASSIGN(auto cursor, crypto::OpenAes256Gcm(key_, nonce, Binding(list), sealed));
  if (!cursor) return Refused();
  return std::optional<Bytes>(Bytes(cursor->ExposeSecret()));
}

Bytes FilterOf(const google::protobuf::Message& request) {
  std::unique_ptr<google::protobuf::Message> filter(request.New());
  filter->CopyFrom(request);
  for (const char* name : {"request_id", "page_size", "page_token"}) {
    const auto* field = filter->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) filter->GetReflection()->ClearField(filter.get(), field);
  }
  return filter->SerializeAsString();
}

Result<uint32_t> PageSize(uint32_t requested) {
  if (requested == 0) return limits::kPageSizeDefault;
  if (requested > limits::kPageSizeMax) {
    return InvalidArgument("FIELD_INVALID", "page_size",
                           "at most " + std::to_string(limits::kPageSizeMax) + " expected");
  }
  return requested;
}

Result<PagePlace> PagePlace::Parse(BytesView raw) {
  ByteReader reader(raw);
  auto next = reader.U64();
  auto tree_size = reader.U64();
  if (!reader.Done()) {
    return InvalidArgument("PAGE_TOKEN_INVALID", "page_token", "a token of this list expected");
  }
  return PagePlace{*next, *tree_size};
}

Result<PagePlace> PagePlace::At(const PageTokens& tokens, const ListId& list,
                                const std::string& page_token, uint64_t granted_size) {
  SCHAKEL_ASSIGN(auto cursor, tokens.Open(list, page_token));
  if (!cursor) return PagePlace{0, granted_size};
  SCHAKEL_ASSIGN(auto place, Parse(*cursor));
  place.tree_size = std::min(place.tree_size, granted_size);
  return place;
}

}  // namespace schakel::audit
