#include "broker/custodian/startup.h"

#include "broker/audit/checkpointer.h"
#include "broker/custodian/custodian_log.h"
#include "broker/merkle/note.h"

namespace schakel::custodian {
namespace {

// Head first, then the signature over it.
Status SignFirst(CustodianLog& log, store::HeadStore* heads, const crypto::SigningKey& key,
                 std::optional<store::Head> head) {
  audit::Checkpointer checkpointer(log.Signed(), heads, &key, std::move(head));
  return checkpointer.SignNow();
}

Result<CustodianLog::Name> NameOf(const Materials& materials, uint64_t number) {
  CustodianLog::Name name;
  name.region = materials.holder->document().document.region();
  name.origin = OriginOf(name.region, number);
  SCHAKEL_ASSIGN(name.log_key, VerifierKeyOf(name.origin, materials.log_key));
  return name;
}

void Fill(const Materials& materials, const CustodianLog::Name& name, v1::RecordFacts* facts) {
  facts->set_about_organisation(materials.own.str());
  facts->set_version(kLogVersion);
  facts->set_digest(materials.holder->document().document.digest().str());
  facts->set_log_key(name.log_key);
}

}  // namespace

std::string OriginOf(const std::string& region, uint64_t number) {
  return region + "/custodian/" + std::to_string(number);
}

Result<std::string> VerifierKeyOf(const std::string& origin, const crypto::SigningKey& key) {
  SCHAKEL_ASSIGN(const auto verifier, merkle::VerifierKey::Create(origin, key.public_key()));
  return verifier.Encode();
}

Result<std::unique_ptr<store::Store>> OpenStore(const Settings& settings, bool create) {
  store::StoreOptions options;
  options.folder = settings.data_folder;
  options.create = create;
  // LIMIT: some 30 counts of 10,000 members fit many times over; records are read in order.
  options.cache_bytes = size_t{32} << 20;
  auto opened = store::Store::Open(std::move(options));
  if (opened.ok()) return opened;
  const Error& error = opened.error();
  if (error.reason == "STORE_LOCKED") {
    return settings.At("data_folder", "another process uses it: " + error.message);
  }
  if (error.reason == "STORE_MISSING") {
    return settings.At("data_folder", "it holds no log; run schakel-custodian init");
  }
  return error;
}

Result<std::string> InitialiseLog(store::StateStore* store, store::HeadStore* heads,
                                  const Materials& materials, uint64_t number, Micros now) {
  SCHAKEL_ASSIGN(const auto head, heads->Read());
  if (head) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_EXISTS",
                     "the head file exists already: it is of the log " + head->origin);
  }
  SCHAKEL_ASSIGN(const auto name, NameOf(materials, number));
  v1::Record genesis;
  genesis.set_kind(v1::RECORD_KIND_GENESIS);
  Fill(materials, name, genesis.mutable_facts());
  genesis.mutable_facts()->set_origin(name.origin);
  SCHAKEL_ASSIGN(const auto log, CustodianLog::Begin(*store, name, std::move(genesis), now));
  SCHAKEL_TRY(SignFirst(*log, heads, materials.log_key, std::nullopt));
  return name.log_key;
}

Result<std::string> RecoverLog(store::StateStore* store, store::HeadStore* heads,
                               const Materials& materials, uint64_t number, Micros now,
                               uint64_t* lost) {
  SCHAKEL_ASSIGN(const auto log, CustodianLog::Open(*store));
  SCHAKEL_ASSIGN(const auto head, heads->Read());
  SCHAKEL_ASSIGN(const auto name, NameOf(materials, number));
  const auto held = log->durable_head();
  // The first numbers are those of the first logs, one for each custodian.
  const size_t firsts = materials.holder->document().document.custodians().size();
  if (number <= firsts || name.origin == held.origin || (head && head->origin == name.origin)) {
    return MakeError(ErrorCode::kFailedPrecondition, "LOG_NUMBER_USED",
                     "a number above " + std::to_string(firsts) +
                         " that no custodian's log of the region had expected; this log is now " +
                         held.origin);
  }
  v1::Record record;
  record.set_kind(v1::RECORD_KIND_MODE_CHANGE);
  auto* facts = record.mutable_facts();
  Fill(materials, name, facts);
  facts->set_origin(held.origin);
  facts->set_text("recover");
  if (head) {
    facts->set_head_size(head->size);
    facts->set_head_root(head->root.str());
  }
  facts->set_store_size(held.size);
  facts->set_store_root(held.root.str());
  SCHAKEL_TRY(log->Rename(name, std::move(record), now));
  SCHAKEL_TRY(SignFirst(*log, heads, materials.log_key, head));
  *lost = head && head->size > held.size ? head->size - held.size : 0;
  return name.log_key;
}

}  // namespace schakel::custodian
