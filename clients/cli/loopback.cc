// schakel loopback: the organisation by which a partner tests alone. It opens each test signal,
// sends its content back as a test answer, acknowledges and reports the first outcome that the
// bundle has for the type. Nothing that it took is kept or shown: a line names signals by their ids
// only.
#include <memory>

#include "clients/cli/delivery_view.h"
#include "clients/cli/inbox_loop.h"
#include "clients/cli/loopback_journal.h"
#include "clients/cli/verb.h"

namespace schakel::cli {
namespace {

struct LoopbackOptions {
  std::string type = "test-signal";
  std::string answer_type = "test-answer";
  bool until_idle = false;
};

class Loopback {
 public:
  Loopback(Invocation& invocation, const LoopbackOptions& options, sdk::Session& session,
           sdk::PullStream& stream, LoopbackJournal journal)
      : invocation_(invocation),
        options_(options),
        session_(session),
        stream_(stream),
        journal_(std::move(journal)) {}

  // Makes up for reports that a kill left owed. Their tests were answered; whether the
  // acknowledgement was sent, or is still under way, nobody knows: it counts once.
  Status ReportWhatIsOwed() {
    SCHAKEL_ASSIGN(auto* const inbox, session_.inbox());
    SCHAKEL_ASSIGN(const auto all, journal_.Owed());
    for (const auto& owed : all) {
      const auto acknowledged = inbox->Acknowledge(owed.delivery);
      if (!acknowledged.ok() && Passes(acknowledged.error())) return acknowledged.error();
      SCHAKEL_TRY(Report(owed));
    }
    return {};
  }

  // Settles one item. An Error ends the loopback: whoever runs it starts it again, and what was not
  // settled comes again.
  Status Take(v1::Delivery delivery) {
    const auto id = DeliveryId::From(delivery.delivery_id());
    if (!id) return Internal("the broker sent a delivery without an id");
    const auto item = OpenDelivery(invocation_, std::move(delivery));
    if (!item.ok()) return GiveBack(*id, item.error());
    if (!item->opened) return Done(stream_.Acknowledge(*id));
    if (item->opened->header.signal_type() != options_.type) {
      invocation_.Note(Msg::kLoopbackRefused, {IdText(item->opened->id.view())});
      return Done(stream_.Refuse(*id, {"the loopback takes test signals only", "", std::nullopt}));
    }
    // The answer first, under a key of its own: a kill before the acknowledgement brings the signal
    // again, and the same answer. Once the report is noted as owed, the next start makes both.
    SCHAKEL_TRY(Answer(*item->opened));
    if (item->outcomes.empty()) return Done(stream_.Acknowledge(*id));
    const OwedReport owed{*id, sdk::NewRequestId(), item->outcomes.front()};
    SCHAKEL_TRY(journal_.Owe(owed));
    const auto acknowledged = stream_.Acknowledge(*id);
    if (acknowledged.ok()) return Report(owed);
    SCHAKEL_TRY(Done(acknowledged));
    return journal_.Settle(*id);
  }

 private:
  // Settled elsewhere, or its lease lost: the broker knows already or delivers it again.
  Status Done(const Result<v1::LogReceipt>& settled) {
    if (settled.ok()) return {};
    if (settled.error().code != ErrorCode::kNotFound &&
        settled.error().code != ErrorCode::kFailedPrecondition) {
      return settled.error();
    }
    invocation_.ReportError(settled.error());
    return {};
  }

  // A false or damaged item goes back to its sender; for all else the broker may try again.
  Status GiveBack(const DeliveryId& id, const Error& error) {
    const bool mismatch = error.reason == "SUBJECT_MISMATCH";
    if (mismatch || error.reason == "OPEN_FAILED") {
      invocation_.ReportError(error);
      return Done(stream_.Refuse(
          id, {"could not be opened", mismatch ? "SUBJECT_MISMATCH" : "", std::nullopt}));
    }
    [[maybe_unused]] const auto released = stream_.Release(id);
    return error;
  }

  // What came goes back, under the purpose and ground that it came under, about nobody.
  static sdk::SignalDraft DraftOf(const sdk::OpenedSignal& signal, const std::string& answer_type) {
    sdk::SignalDraft draft;
    draft.signal_type = answer_type;
    draft.purpose = signal.header.purpose();
    draft.urgency = signal.header.urgency();
    draft.follows = signal.id;
    draft.recipients.push_back(sdk::Addressee::To(signal.sender));
    draft.subjects.push_back(sdk::UnlinkedSubject());
    for (const auto& section : signal.sections) {
      sdk::DraftSection back;
      back.category = section.meta.category();
      back.ground = section.meta.ground();
      back.media_type = section.content.media_type;
      back.content = section.content.content.Clone();
      draft.sections.push_back(std::move(back));
    }
    return draft;
  }

  // An answer that the rules or the sender's state do not allow is told, and the rest goes on; that
  // the broker was not reached is an Error.
  Status Answer(const sdk::OpenedSignal& signal) {
    SCHAKEL_ASSIGN(auto* const outbox, session_.outbox());
    SCHAKEL_ASSIGN([[maybe_unused]] const size_t purged, outbox->Purge(sdk::Now()));
    SCHAKEL_ASSIGN(const auto composer, session_.NewComposer());
    SCHAKEL_ASSIGN(auto* const keys, session_.keys());
    SCHAKEL_ASSIGN(auto* const signals, session_.signals());
    const std::string key = "loopback-" + signal.sender.str() + "-" + IdText(signal.id.view());
    const auto sent = signals->Send(*composer, DraftOf(signal, options_.answer_type), *keys, key);
    std::string why;
    if (!sent.ok()) {
      if (Passes(sent.error())) return sent.error();
      why = sent.error().reason;
    } else if (!sent->all_queued()) {
      why = sent->accepted() ? sent->entry.answer().accepted().outcomes(0).reason()
                             : sent->entry.answer().error().message();
    }
    if (why.empty()) {
      invocation_.Note(Msg::kLoopbackAnswered,
                       {IdText(signal.id.view()), IdText(sent->entry.signal_id())});
    } else {
      invocation_.Note(Msg::kLoopbackUnanswered, {IdText(signal.id.view()), why});
    }
    return {};
  }

  // What may go away by itself.
  static bool Passes(const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded ||
           error.code == ErrorCode::kResourceExhausted || error.code == ErrorCode::kAborted ||
           error.code == ErrorCode::kCancelled || error.code == ErrorCode::kInternal;
  }

  Status Report(const OwedReport& owed) {
    SCHAKEL_ASSIGN(auto* const inbox, session_.inbox());
    const auto reported = inbox->ReportOutcome(owed.request, owed.delivery, owed.code);
    if (!reported.ok()) {
      if (Passes(reported.error())) return reported.error();
      invocation_.ReportError(reported.error());
    }
    return journal_.Settle(owed.delivery);
  }

  Invocation& invocation_;
  const LoopbackOptions& options_;
  sdk::Session& session_;
  sdk::PullStream& stream_;
  const LoopbackJournal journal_;
};

Result<ExitCode> Run(Invocation& invocation, const LoopbackOptions& options) {
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN([[maybe_unused]] auto* const opener, session->opener());
  SCHAKEL_ASSIGN(const auto* const outbox, session->outbox());
  SCHAKEL_ASSIGN(auto journal, LoopbackJournal::Open(outbox->folder().parent_path() / "loopback"));
  SCHAKEL_ASSIGN(auto connection, session->connection());
  const InterruptGuard guard;
  const auto stream = sdk::PullStream::Open(std::move(connection), {1, std::chrono::seconds(60)});
  Loopback loopback(invocation, options, *session, *stream, std::move(journal));
  SCHAKEL_TRY(loopback.ReportWhatIsOwed());
  invocation.Note(Msg::kLoopbackReady);
  const auto take = [&](v1::Delivery delivery) -> Result<AfterItem> {
    SCHAKEL_TRY(loopback.Take(std::move(delivery)));
    return AfterItem();
  };
  const auto ended = TakeEachItem(*stream, guard, options.until_idle, take);
  if (!ended.ok()) return ended.error();
  // To be stopped is how it is meant to end.
  return ExitCode::kOk;
}

}  // namespace

void AddLoopback(CLI::App& program, Invocation& invocation) {
  auto* const noun = AddNoun(program, invocation, "loopback", Msg::kNounLoopback);
  Verb run(noun, invocation, "run", Msg::kVerbLoopbackRun,
           "schakel loopback run --context loopback\n"
           "schakel loopback run --context loopback --until-idle");
  const auto options = std::make_shared<LoopbackOptions>();
  run.Value("--type", options->type, Msg::kOptTestType, "CODE");
  run.Value("--answer-type", options->answer_type, Msg::kOptAnswerType, "CODE");
  run.Flag("--until-idle", options->until_idle, Msg::kOptUntilIdle);
  run.Run([&invocation, options] { return Run(invocation, *options); });
}

}  // namespace schakel::cli
