// SignalService, but for Publish.
#include "schakel/v1/signal.pb.h"
#include "tests/e2e/bad_input/world.h"

namespace schakel::e2e {
namespace {

using grpc::StatusCode;

const std::string kSignalService = "schakel.v1.SignalService.";

v1::PreflightRequest ValidPreflight(World& world) {
  v1::PreflightRequest request;
  request.set_request_id(world.Random(16));
  request.set_signal_type("domestic-violence-report");
  request.set_purpose("stop-domestic-violence");
  request.add_recipients()->set_oin(world.region().OinOf("centre").str());
  for (const char* name : {"first", "second"}) {
    auto* subject = request.add_subjects();
    subject->set_label(world.Random(16));
    *subject->mutable_ref() = testing::Linked(name);
  }
  auto* section = request.add_sections();
  section->set_category("safety");
  section->set_ground("wmo-veilig-thuis");
  section->add_subject_labels(request.subjects(0).label());
  section = request.add_sections();
  section->set_category("identity-bsn");
  section->set_ground("wmo-veilig-thuis");
  section->add_subject_labels(request.subjects(1).label());
  *section->mutable_subject_ref() = request.subjects(1).ref();
  request.set_case_id(world.Random(16));
  return request;
}

void PreflightSections(RpcTable& t) {
  using Request = v1::PreflightRequest;
  const auto with_ref = [&](const std::string& path, const std::string& what,
                            const std::function<void(v1::SubjectRef&)>& change) {
    t.BadIf<Request>(
        "sections." + path, what,
        [&](Request& r) { change(*r.mutable_sections(1)->mutable_subject_ref()); },
        Refused("SUBJECT_MISMATCH").At("sections[1].subject_ref"));
  };
  t.Bad("sections", "none", Missing(), FieldMissing());
  t.Bad("sections", "65", Times(65), TooLarge());
  t.CodeOf("sections.category");
  t.CodeOf("sections.ground");
  t.Bad("sections.subject_labels", "none", Missing(), FieldMissing());
  t.Bad("sections.subject_labels", "17", Times(17), TooLarge());
  t.Bad("sections.subject_labels", "of nobody", Set(Bytes(16, 'l')), FieldInvalid());
  t.Bad("sections.subject_labels", "one twice", Times(2), FieldInvalid());
  t.Bad("sections.attested_conditions", "17", Times(17), TooLarge());
  t.Bad("sections.attested_conditions", "no code", Set("I swear it"), FieldInvalid());
  t.Bad("sections.subject_ref", "in another section", Unknown(), FieldInvalid());
  with_ref("subject_ref.pairs", "none", [](v1::SubjectRef& ref) { ref.clear_pairs(); });
  with_ref("subject_ref.pairs.epoch", "another than the subject's",
           [](v1::SubjectRef& ref) { ref.mutable_pairs(0)->set_epoch(2); });
  with_ref("subject_ref.pairs.value", "another than the subject's",
           [](v1::SubjectRef& ref) { ref.mutable_pairs(0)->set_value(Bytes(32, 'v')); });
}

RpcTable Preflight(World& world) {
  v1::PreflightRequest valid = ValidPreflight(world);
  RpcTable t(kSignalService + "Preflight", "police", valid);
  t.Sized("request_id", 16);
  t.CodeOf("signal_type");
  t.CodeOf("purpose");
  t.Bad("recipients", "none", Missing(), FieldMissing());
  t.Bad("recipients", "33", Times(33), TooLarge());
  t.Bad("recipients", "one twice", Times(2), FieldInvalid().At("recipients[1].oin"));
  t.Oin("recipients.oin");
  t.Bad("subjects", "none", Missing(), FieldMissing());
  t.Bad("subjects", "17", Times(17), TooLarge());
  t.Bad("subjects", "one label twice", Times(3), FieldInvalid().At("subjects[2].label"));
  t.Sized("subjects.label", 16);
  t.Reference("subjects.ref", false);
  PreflightSections(t);
  t.Sized("case_id", 16, false);
  valid.set_request_id(world.Random(16));
  valid.mutable_recipients(0)->mutable_function()->set_function("domestic-violence-centre");
  valid.mutable_recipients(0)->mutable_function()->set_area("dordrecht");
  t.Base(valid, {});
  t.Bad("recipients.function", "a field that nobody knows", Unknown(), FieldInvalid().At(""));
  t.CodeOf("recipients.function.function");
  t.CodeOf("recipients.function.area");
  return t;
}

RpcTable GetSignal(World& world) {
  v1::GetSignalRequest valid;
  const auto sent = Must(Send(world.As("corporation"), Arrears()));
  valid.set_signal_id(sent.entry.signal_id());
  RpcTable t(kSignalService + "GetSignal", "corporation", valid);
  t.Sized("signal_id", 16);
  const auto unknown = Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND);
  t.Bad("signal_id", "of no signal", Set(Bytes(16, 'n')), unknown);
  t.Bad("at_least_position", "of a later age", Number(1'000'000'000),
        Refused("POSITION_NOT_REACHED").Code(StatusCode::UNAVAILABLE).Retry());
  t.Bad("at_least_position", "the largest", Number(-1),
        Refused("POSITION_NOT_REACHED").Code(StatusCode::UNAVAILABLE).Retry());
  return t;
}

RpcTable ListSignals() {
  RpcTable t(kSignalService + "ListSignals", "corporation", v1::ListSignalsRequest());
  t.Page();
  t.Bad("states", "not said", Number(0), FieldInvalid());
  t.Bad("states", "a number that is no value", Number(99), FieldInvalid());
  return t;
}

RpcTable ReadOutcomes() {
  RpcTable t(kSignalService + "ReadOutcomes", "corporation", v1::ReadOutcomesRequest());
  t.Bad("after", "no cursor", Set("yesterday"), FieldInvalid());
  t.Bad("after", "a long one", Set(Bytes(10'000, 'c')), FieldInvalid());
  t.Bad("page_size", "1001", Number(1001), FieldInvalid());
  return t;
}

RpcTable AttachSubject(World& world) {
  const auto held = world.NewDelivery();
  v1::AttachSubjectRequest valid;
  valid.set_request_id(world.Random(16));
  valid.set_signal_id(held.signal_id);
  valid.set_sender(world.region().OinOf("corporation").str());
  valid.set_subject_label(held.label);
  *valid.mutable_subject() = testing::Linked("tenant");
  RpcTable t(kSignalService + "AttachSubject", "debt-relief", valid);
  const auto unknown =
      Refused("NOT_FOUND").Code(StatusCode::NOT_FOUND).At("subject_label").Recorded();
  t.Sized("request_id", 16);
  t.Sized("signal_id", 16);
  t.Bad("signal_id", "of no signal", Set(Bytes(16, 'n')), unknown);
  t.Oin("sender");
  t.Bad("sender", "another's", Set(world.region().OinOf("team").str()), unknown);
  t.Sized("subject_label", 16);
  t.Bad("subject_label", "of nobody in it", Set(Bytes(16, 'l')), unknown);
  t.Reference("subject", true);
  t.Bad("subject", "a field that nobody knows", Unknown(), FieldInvalid().At(""));
  return t;
}

}  // namespace

std::vector<RpcTable> SignalTables(World& world) {
  std::vector<RpcTable> tables;
  tables.push_back(Preflight(world));
  tables.push_back(GetSignal(world));
  tables.push_back(ListSignals());
  tables.push_back(ReadOutcomes());
  tables.push_back(AttachSubject(world));
  return tables;
}

}  // namespace schakel::e2e
