#include "clients/cli/inbox_watch.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>

#include "clients/cli/delivery_view.h"
#include "clients/cli/inbox_loop.h"
#include "clients/cli/parse.h"
#include "clients/cli/run_command.h"

namespace schakel::cli {
namespace {

struct WatchOptions {
  std::string out;
  std::string exec;
  bool acknowledge = false;
  bool until_idle = false;
  uint64_t window = 1;
  std::string lease = "60s";
};

// What a run of the watch works with.
struct Watch {
  Invocation& invocation;
  const WatchOptions& options;
  sdk::PullStream& stream;
  std::chrono::seconds lease;
};

// Hands the item to the user's program; whether it took it.
Result<bool> Handle(Watch& watch, const OpenedDelivery& item, const DeliveryId& id) {
  std::filesystem::path folder = watch.options.out;
  std::filesystem::path temporary;
  if (folder.empty()) {
    std::string form = (std::filesystem::temp_directory_path() / "schakel-XXXXXX").string();
    if (mkdtemp(form.data()) == nullptr) {
      return MakeError(ErrorCode::kFailedPrecondition, "FILE_FAILED", "can't make " + form);
    }
    temporary = form;
    folder = temporary;
  }
  const auto result = [&]() -> Result<bool> {
    SCHAKEL_ASSIGN(const auto place, WriteDelivery(folder, item));
    if (watch.options.exec.empty()) return true;
    CommandToRun command{watch.options.exec, place, {}};
    command.environment = {{"SCHAKEL_FOLDER", std::filesystem::absolute(place).string()},
                           {"SCHAKEL_DELIVERY_ID", IdText(id.view())}};
    if (item.opened) {
      command.environment.emplace_back("SCHAKEL_SIGNAL_ID", IdText(item.opened->id.view()));
      command.environment.emplace_back("SCHAKEL_SENDER", item.opened->sender.str());
      command.environment.emplace_back("SCHAKEL_SIGNAL_TYPE", item.opened->header.signal_type());
    } else {
      command.environment.emplace_back("SCHAKEL_NOTICE", "1");
    }
    // The lease is renewed at half its time, for as long as the program works.
    SCHAKEL_ASSIGN(const int code, RunCommand(command, watch.lease / 2, [&] {
                     return watch.stream.Extend(id, watch.lease).ok();
                   }));
    if (code != 0) {
      watch.invocation.Note(Msg::kCommandFailed, {std::to_string(code), IdText(id.view())});
    }
    return code == 0;
  }();
  std::error_code ignored;
  if (!temporary.empty()) std::filesystem::remove_all(temporary, ignored);
  return result;
}

// What became of one item.
struct Taken {
  bool settled = true;  // false: given back, it will come again
  std::string what;     // the signal, for knowing it again
};

// Opens, shows, handles and settles one item.
Result<Taken> Take(Watch& watch, v1::Delivery delivery) {
  const auto id = DeliveryId::From(delivery.delivery_id());
  if (!id) return Internal("the broker sent a delivery without an id");
  const auto item = OpenDelivery(watch.invocation, std::move(delivery));
  if (!item.ok()) {
    watch.invocation.ReportError(item.error());
    const bool mismatch = item.error().reason == "SUBJECT_MISMATCH";
    // A false or damaged item goes back to its sender; for all else the broker may try again.
    if (mismatch || item.error().reason == "OPEN_FAILED") {
      const auto refused = watch.stream.Refuse(
          *id, {"could not be opened", mismatch ? "SUBJECT_MISMATCH" : "", std::nullopt});
      if (!refused.ok()) return refused.error();
      return Taken{};
    }
    [[maybe_unused]] const auto released = watch.stream.Release(*id);
    return item.error();
  }
  // With a program, its folder has the content; on a screen it is shown when nothing else takes it.
  if (watch.options.exec.empty() || watch.invocation.format() != Format::kTable) {
    ShowDelivery(watch.invocation, *item);
  }
  const bool keep = !watch.options.exec.empty() || !watch.options.out.empty();
  Result<bool> taken = true;
  if (keep) taken = Handle(watch, *item, *id);
  const bool good = taken.ok() && *taken;
  const auto settled = good ? watch.stream.Acknowledge(*id) : watch.stream.Release(*id);
  if (!taken.ok()) return taken.error();
  if (settled.ok()) {
    watch.invocation.Note(good ? Msg::kAcknowledgedItem : Msg::kReleasedItem, {IdText(id->view())});
    return Taken{good, item->opened ? item->opened->id.str() : item->delivery.notice().signal_id()};
  }
  // Settled elsewhere or its lease lost: the broker delivers it again or knows already.
  if (settled.error().code == ErrorCode::kNotFound ||
      settled.error().code == ErrorCode::kFailedPrecondition) {
    watch.invocation.ReportError(settled.error());
    return Taken{};
  }
  return settled.error();
}

Result<ExitCode> Run(Invocation& invocation, const WatchOptions& options) {
  if (options.exec.empty() && !options.acknowledge) {
    return UsageError(invocation.Text(Msg::kExecOrAck), "--exec");
  }
  if (options.window < 1 || options.window > 256) {
    return UsageError(invocation.Text(Msg::kBetween, {"1", "256"}), "--window");
  }
  SCHAKEL_ASSIGN(const auto lease, ParseDuration(invocation.language(), options.lease, "--lease"));
  SCHAKEL_ASSIGN(auto* const session, invocation.session());
  SCHAKEL_ASSIGN([[maybe_unused]] auto* const opener, session->opener());
  SCHAKEL_ASSIGN(auto connection, session->connection());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(lease);
  const InterruptGuard guard;
  const auto stream = sdk::PullStream::Open(std::move(connection),
                                            {static_cast<uint32_t>(options.window), seconds});
  Watch watch{invocation, options, *stream, seconds};
  std::set<std::string> given_back;
  std::chrono::milliseconds pause{0};
  const auto take = [&](v1::Delivery delivery) -> Result<AfterItem> {
    SCHAKEL_ASSIGN(const auto taken, Take(watch, std::move(delivery)));
    if (taken.settled) {
      pause = std::chrono::milliseconds(0);
      return AfterItem();
    }
    // What was given back comes at once again. A run that is to end ends at its second failure; one
    // that goes on waits, longer each time, so that a broken program does not spin.
    const bool again = !given_back.insert(taken.what).second;
    if (options.until_idle) return again ? AfterItem(ExitCode::kNegative) : AfterItem();
    pause = std::clamp<std::chrono::milliseconds>(2 * pause, std::chrono::seconds(1),
                                                  std::chrono::seconds(30));
    guard.Sleep(pause);
    return AfterItem();
  };
  return TakeEachItem(*stream, guard, options.until_idle, take);
}

}  // namespace

void AddInboxWatch(CLI::App* noun, Invocation& invocation) {
  Verb watch(noun, invocation, "watch", Msg::kVerbInboxWatch,
             R"(schakel inbox watch --out signals --exec 'cat *.json'
schakel inbox watch --ack --out signals -o jsonl
schakel inbox watch --exec 'cat *.json >> ~/inbox.json' --until-idle)");
  const auto options = std::make_shared<WatchOptions>();
  watch.Value("--out", options->out, Msg::kOptOut, "DIR");
  watch.Value("--exec", options->exec, Msg::kOptExec, "CMD");
  watch.Flag("--ack", options->acknowledge, Msg::kOptAck);
  watch.Flag("--until-idle", options->until_idle, Msg::kOptUntilIdle);
  watch.Number("--window", options->window, Msg::kOptWindow);
  watch.Value("--lease", options->lease, Msg::kOptLease, "TIME");
  watch.Run([&invocation, options] { return Run(invocation, *options); });
}

}  // namespace schakel::cli
