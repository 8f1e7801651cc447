// Key sets: sealing and signing keys of an organisation, chained by digest.
#include "broker/crypto/key_set.h"

#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

Result<Answer> Apply(Context& ctx, const RegisterKeySet& command) {
  const Bytes& raw = command.key_set.key_set();
  SCHAKEL_ASSIGN(auto key_set, crypto::ParseKeySet(raw));
  Digest digest = crypto::KeySetDigest(raw);
  v1::RegisterKeySetResponse response;
  response.set_digest(digest.str());
  auto wrong = [](const char* what) {
    return MakeError(ErrorCode::kFailedPrecondition, "KEY_SET_INVALID", what, "key_set.key_set");
  };
  if (key_set.oin != ctx.caller().organisation) return wrong("the OIN is not the caller's");
  SCHAKEL_ASSIGN(auto known, ctx.FindKeySet(digest));
  if (known) {
    SCHAKEL_ASSIGN(*response.mutable_receipt(), ctx.Receipt(known->record_index()));
    return Answer(std::move(response));
  }
  SCHAKEL_ASSIGN(auto entry, ctx.FindOrganisation(key_set.oin));
  if (entry->key_set_digest().empty()) {
    if (key_set.version != 1) return wrong("the first key set has version 1");
  } else {
    auto current = *Digest::From(entry->key_set_digest());
    SCHAKEL_ASSIGN(auto previous, ctx.FindKeySet(current));
    if (!previous) {
      return MakeError(ErrorCode::kDataLoss, "STORE_CORRUPT", "the current key set is missing");
    }
    if (key_set.version != previous->version() + 1) {
      return wrong("the version is not the next one");
    }
    if (key_set.previous != current) return wrong("the previous digest is not the current one");
  }
  Millis now(ctx.now_ms());
  if (key_set.not_after <= now) return wrong("it is no longer valid");

  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_KEY_SET);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_about_organisation(key_set.oin.str());
  record.mutable_facts()->set_version(key_set.version);
  record.mutable_facts()->set_digest(digest.str());
  *response.mutable_receipt() = ctx.AddRecord(std::move(record));

  state::v1::StoredKeySet stored;
  stored.set_oin(key_set.oin.str());
  *stored.mutable_key_set() = command.key_set;
  stored.set_version(key_set.version);
  stored.set_registered_us(ctx.now_us());
  stored.set_record_index(response.receipt().index());
  stored.set_not_before_ms(static_cast<uint64_t>(key_set.not_before.count()));
  stored.set_not_after_ms(static_cast<uint64_t>(key_set.not_after.count()));
  stored.set_signing_key(Bytes(key_set.signing_key.view()));
  stored.set_sealing_key(Bytes(key_set.sealing_key.view()));
  ctx.Put(Family::kRegistry, keys::KeySet(digest), stored);
  ctx.PutRaw(Family::kRegistry, keys::KeySetOf(key_set.oin, key_set.version), digest.str());
  state::v1::OrganisationVersion changed = *entry;
  changed.set_key_set_digest(digest.str());
  ctx.Put(Family::kRegistry, keys::Organisation(key_set.oin), changed);
  ctx.effects().directory_changed = true;
  return Answer(std::move(response));
}

}  // namespace schakel::machine
