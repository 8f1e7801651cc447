// The beginning of a log, and what its operator does to it with the broker stopped.
#include "broker/machine/facts.h"
#include "broker/machine/handlers.h"

namespace schakel::machine {

using store::Family;

Result<Answer> Apply(Context& ctx, const Genesis& command) {
  SCHAKEL_CHECK(ctx.position() == 1, "I6: genesis is the first command");
  auto& meta = ctx.meta();
  meta.set_machine_version(kMachineVersion);
  meta.set_origin(command.origin);
  meta.set_region(command.region);
  meta.set_log_key(command.log_key);
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_GENESIS);
  record.set_event_id(ctx.NewEventId());
  record.set_bundle_digest(command.bundle_digest.str());
  auto* facts = record.mutable_facts();
  facts->set_about_organisation(command.registrar.oin());
  facts->set_version(kMachineVersion);
  facts->set_origin(command.origin);
  facts->set_log_key(command.log_key);
  facts->set_registrar_issuer_digest(command.registrar.certificate_issuer_digest());
  facts->set_registrar_spki_digest(command.registrar.certificate_spki_digest());
  uint64_t index = ctx.AddRecord(std::move(record)).index();

  SetActiveBundle(ctx, command.bundle, command.bundle_digest, /*by=*/"", index);
  ctx.facts().Remember(command.bundle_digest, command.compiled);

  auto oin = *OrganisationId::From(command.registrar.oin());
  state::v1::OrganisationVersion registrar;
  *registrar.mutable_organisation() = command.registrar;
  registrar.set_version(1);
  registrar.set_time_us(ctx.now_us());
  registrar.set_record_index(index);
  ctx.Put(Family::kRegistry, keys::Organisation(oin), registrar);
  ctx.Put(Family::kRegistry, keys::OrganisationVersion(oin, 1), registrar);
  return Answer(std::monostate{});
}

Result<Answer> Apply(Context& ctx, const Recover& command) {
  auto& meta = ctx.meta();
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_MODE_CHANGE);
  record.set_event_id(ctx.NewEventId());
  auto* facts = record.mutable_facts();
  facts->set_text("recover; the log before was " + meta.origin());
  facts->set_origin(command.origin);
  facts->set_log_key(command.log_key);
  facts->set_head_size(command.head_size);
  if (command.head_size > 0) facts->set_head_root(command.head_root.str());
  facts->set_store_size(ctx.tree_head().size);
  facts->set_store_root(ctx.tree_head().root.str());
  meta.set_origin(command.origin);
  meta.set_log_key(command.log_key);
  ctx.AddRecord(std::move(record));
  return Answer(std::monostate{});
}

Result<Answer> Apply(Context& ctx, const AcceptTime&) {
  v1::Record& record = ctx.NewRecord(v1::RECORD_KIND_MODE_CHANGE);
  record.set_event_id(ctx.NewEventId());
  record.mutable_facts()->set_text("accept-time");
  ctx.AddRecord(std::move(record));
  return Answer(std::monostate{});
}

}  // namespace schakel::machine
