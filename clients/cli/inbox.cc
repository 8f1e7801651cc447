// schakel inbox: taking items and settling them. The stream: inbox_watch.cc.
#include <memory>

#include "clients/cli/delivery_view.h"
#include "clients/cli/inbox_watch.h"
#include "clients/cli/parse.h"
#include "clients/cli/subjects.h"
#include "clients/cli/verb.h"

namespace schakel::cli {
namespace {

struct FetchOptions {
  uint64_t max = 10;
  std::string lease;
  std::string fetch_id;
  std::string out;
};

Result<std::optional<std::chrono::seconds>> LeaseOf(Invocation& invocation,
                                                    const std::string& text) {
  if (text.empty()) return std::optional<std::chrono::seconds>();
  SCHAKEL_ASSIGN(const auto lease, ParseDuration(invocation.language(), text, "--lease"));
  return std::optional(std::chrono::duration_cast<std::chrono::seconds>(lease));
}

Result<ExitCode> Fetch(Invocation& invocation, const FetchOptions& options) {
  if (options.max < 1 || options.max > 64) {
    return UsageError(invocation.Text(Msg::kBetween, {"1", "64"}), "--max");
  }
  SCHAKEL_ASSIGN(const auto lease, LeaseOf(invocation, options.lease));
  RequestId id = sdk::NewRequestId();
  if (!options.fetch_id.empty()) {
    SCHAKEL_ASSIGN(id, ParseId<RequestId>(invocation.language(), options.fetch_id, "--fetch-id"));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
  SCHAKEL_ASSIGN(const auto response, inbox->Fetch(id, static_cast<uint32_t>(options.max), lease));
  if (response.deliveries_size() == 0) invocation.Note(Msg::kNothingWaits);
  const bool array = invocation.format() == Format::kJson;
  if (array) invocation.out() << "[\n";
  bool first = true;
  std::optional<Error> failed;
  for (const auto& delivery : response.deliveries()) {
    auto item = OpenDelivery(invocation, delivery);
    if (!item.ok()) {
      // The others are shown all the same: one false item must not hide them.
      invocation.ReportError(item.error());
      invocation.Note(Msg::kRefuseHint, {IdText(delivery.delivery_id())});
      failed = item.error();
      continue;
    }
    if (array && !first) invocation.out() << ",";
    first = false;
    ShowDelivery(invocation, *item);
    if (!options.out.empty()) {
      SCHAKEL_ASSIGN(const auto place, WriteDelivery(options.out, *item));
      invocation.Note(Msg::kWritten, {place.string()});
    }
  }
  if (array) invocation.out() << "]\n";
  return failed ? ExitCodeOf(*failed) : ExitCode::kOk;
}

// One settlement: the answer's receipt, or a plain line.
template <typename Response>
Result<ExitCode> Settled(Invocation& invocation, const Result<Response>& response, Msg done) {
  if (!response.ok()) return response.error();
  if (invocation.format() == Format::kTable) {
    invocation.Note(done);
  } else {
    invocation.Show(*response, nullptr, Table({}));
  }
  return ExitCode::kOk;
}

struct RefuseOptions {
  std::string id;
  std::string reason;
  std::string redirect;
  bool mismatch = false;
};

Result<ExitCode> Refuse(Invocation& invocation, const RefuseOptions& options) {
  SCHAKEL_ASSIGN(const auto id, ParseId<DeliveryId>(invocation.language(), options.id, "ID"));
  sdk::Refusal refusal{options.reason, options.mismatch ? "SUBJECT_MISMATCH" : "", std::nullopt};
  if (!options.redirect.empty()) {
    SCHAKEL_ASSIGN(const auto function,
                   ParseFunction(invocation.language(), options.redirect, "--redirect"));
    refusal.redirect.emplace();
    refusal.redirect->set_function(function.function);
    refusal.redirect->set_area(function.area);
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
  return Settled(invocation, inbox->Refuse(id, refusal), Msg::kRefused);
}

struct ReportOptions {
  std::string id;
  std::string code;
  std::string request;
};

Result<ExitCode> Report(Invocation& invocation, const ReportOptions& options) {
  SCHAKEL_ASSIGN(const auto id, ParseId<DeliveryId>(invocation.language(), options.id, "ID"));
  RequestId request = sdk::NewRequestId();
  if (!options.request.empty()) {
    SCHAKEL_ASSIGN(request,
                   ParseId<RequestId>(invocation.language(), options.request, "--request-id"));
  }
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
  const auto response = inbox->ReportOutcome(request, id, options.code);
  if (!response.ok() && response.error().field == "code") invocation.Note(Msg::kReportCodes);
  if (response.ok() && invocation.format() == Format::kTable) {
    invocation.Note(Msg::kReported,
                    {invocation.names().Of(policy::CodeKind::kOutcome, options.code)});
    return ExitCode::kOk;
  }
  return Settled(invocation, response, Msg::kReported);
}

struct AttachOptions {
  std::string signal;
  std::string sender;
  std::string label;
  std::string bsn;
};

Result<ExitCode> Attach(Invocation& invocation, const AttachOptions& options) {
  SCHAKEL_ASSIGN(const auto id, ParseId<SignalId>(invocation.language(), options.signal, "SIGNAL"));
  SCHAKEL_ASSIGN(const auto sender, ParseOin(invocation.language(), options.sender, "--sender"));
  SCHAKEL_ASSIGN(const auto label,
                 ParseId<SubjectLabel>(invocation.language(), options.label, "--label"));
  SCHAKEL_ASSIGN(const auto subject, OneSubject(invocation, options.bsn));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN(auto* const signals, session->signals());
  return Settled(invocation, signals->AttachSubject(id, sender, label, subject), Msg::kAttached);
}

}  // namespace

void AddInbox(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "inbox", Msg::kNounInbox);

  Verb fetch(noun, invocation, "fetch", Msg::kVerbInboxFetch,
             "schakel inbox fetch\nschakel inbox fetch --max 1 --lease 2h --out signals -o json");
  const auto options = std::make_shared<FetchOptions>();
  fetch.Number("--max", options->max, Msg::kOptMax);
  fetch.Value("--lease", options->lease, Msg::kOptLease, "TIME");
  fetch.Value("--fetch-id", options->fetch_id, Msg::kOptFetchId, "ID");
  fetch.Value("--out", options->out, Msg::kOptOut, "DIR");
  fetch.Run([&invocation, options] { return Fetch(invocation, *options); });

  AddInboxWatch(noun, invocation);

  Verb ack(noun, invocation, "ack", Msg::kVerbInboxAck, "schakel inbox ack DELIVERY");
  const auto ack_id = std::make_shared<std::string>();
  ack.Value("ID", *ack_id, Msg::kArgDelivery, "ID").Required();
  ack.Run([&invocation, ack_id]() -> Result<ExitCode> {
    SCHAKEL_ASSIGN(const auto id, ParseId<DeliveryId>(invocation.language(), *ack_id, "ID"));
    SCHAKEL_ASSIGN(auto* const session, invocation.session());
    SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
    return Settled(invocation, inbox->Acknowledge(id), Msg::kAcknowledged);
  });

  Verb refuse(noun, invocation, "refuse", Msg::kVerbInboxRefuse,
              "schakel inbox refuse DELIVERY --reason \"not our area\" \\\n"
              "    --redirect debt-relief@Gorinchem");
  const auto refusal = std::make_shared<RefuseOptions>();
  refuse.Value("ID", refusal->id, Msg::kArgDelivery, "ID").Required();
  refuse.Value("--reason", refusal->reason, Msg::kOptReason, "TEXT").Required();
  refuse.Value("--redirect", refusal->redirect, Msg::kOptRedirect, "FUNCTION@AREA");
  refuse.Flag("--subject-mismatch", refusal->mismatch, Msg::kOptMismatch);
  refuse.Run([&invocation, refusal] { return Refuse(invocation, *refusal); });

  Verb release(noun, invocation, "release", Msg::kVerbInboxRelease,
               "schakel inbox release DELIVERY");
  const auto release_id = std::make_shared<std::string>();
  release.Value("ID", *release_id, Msg::kArgDelivery, "ID").Required();
  release.Run([&invocation, release_id]() -> Result<ExitCode> {
    SCHAKEL_ASSIGN(const auto id, ParseId<DeliveryId>(invocation.language(), *release_id, "ID"));
    SCHAKEL_ASSIGN(auto* const session, invocation.session());
    SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
    return Settled(invocation, inbox->Release(id), Msg::kReleased);
  });

  Verb extend(noun, invocation, "extend", Msg::kVerbInboxExtend,
              "schakel inbox extend DELIVERY --lease 4h");
  const auto extend_id = std::make_shared<std::string>();
  const auto extend_lease = std::make_shared<std::string>();
  extend.Value("ID", *extend_id, Msg::kArgDelivery, "ID").Required();
  extend.Value("--lease", *extend_lease, Msg::kOptLease, "TIME").Required();
  extend.Run([&invocation, extend_id, extend_lease]() -> Result<ExitCode> {
    SCHAKEL_ASSIGN(const auto id, ParseId<DeliveryId>(invocation.language(), *extend_id, "ID"));
    SCHAKEL_ASSIGN(const auto lease, LeaseOf(invocation, *extend_lease));
    SCHAKEL_ASSIGN(auto* const session, invocation.session());
    SCHAKEL_ASSIGN(auto* const inbox, session->inbox());
    SCHAKEL_ASSIGN(const auto response, inbox->Extend(id, *lease));
    invocation.Heading(Msg::kHeadLease, TimeText(response.lease_until()));
    if (invocation.format() != Format::kTable) invocation.Show(response, nullptr, Table({}));
    return ExitCode::kOk;
  });

  Verb report(noun, invocation, "report", Msg::kVerbInboxReport,
              "schakel inbox report DELIVERY --code test-received\n"
              "schakel inbox report DELIVERY --code help-offered\n"
              "schakel policy show --codes");
  const auto reported = std::make_shared<ReportOptions>();
  report.Value("ID", reported->id, Msg::kArgAcknowledged, "ID").Required();
  report.Value("--code", reported->code, Msg::kOptOutcomeCode, "CODE").Required();
  report.Value("--request-id", reported->request, Msg::kOptRequestId, "ID");
  report.Run([&invocation, reported] { return Report(invocation, *reported); });

  Verb attach(noun, invocation, "attach", Msg::kVerbInboxAttach,
              R"(echo 999990019 > bsn.txt
schakel inbox attach SIGNAL --sender 00000099000000001000 --label LABEL \
    --subject-bsn @bsn.txt)");
  const auto attached = std::make_shared<AttachOptions>();
  attach.Value("SIGNAL", attached->signal, Msg::kArgSignal, "ID").Required();
  attach.Value("--sender", attached->sender, Msg::kOptSender, "OIN").Required();
  attach.Value("--label", attached->label, Msg::kOptLabel, "LABEL").Required();
  attach.Value("--subject-bsn", attached->bsn, Msg::kOptOneBsn, "@FILE").Required();
  attach.Run([&invocation, attached] { return Attach(invocation, *attached); });
}

}  // namespace schakel::cli
