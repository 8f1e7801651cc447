#include "clients/sdk/outbox.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>

#include "clients/sdk/files.h"
#include "google/rpc/error_details.pb.h"
#include "tests/unit/sdk/fixture.h"

namespace schakel::sdk {
namespace {

using client::v1::OUTBOX_STATE_ANSWERED;
using client::v1::OUTBOX_STATE_FAILED;
using client::v1::OUTBOX_STATE_PREPARED;

ComposedSignal Signal(char mark, Millis expires = Now() + Millis(100000)) {
  ComposedSignal signal;
  signal.id = *SignalId::From(Bytes(16, mark));
  signal.envelope = "sealed " + std::string(1, mark);
  signal.envelope_digest = *Digest::From(Bytes(32, mark));
  signal.created = Now();
  signal.expires = expires;
  return signal;
}

v1::PublishResult Accepted(char mark) {
  v1::PublishResult result;
  result.mutable_accepted()->set_signal_id(Bytes(16, mark));
  return result;
}

v1::PublishResult Refused(const std::string& reason) {
  v1::PublishResult result;
  result.mutable_error()->set_code(9);
  google::rpc::ErrorInfo info;
  info.set_domain("schakel");
  info.set_reason(reason);
  result.mutable_error()->add_details()->PackFrom(info);
  return result;
}

const Digest kInput = *Digest::From(Bytes(32, 'i'));
const Digest kOther = *Digest::From(Bytes(32, 'o'));

class Outboxes : public ::testing::Test {
 protected:
  Outbox Open() {
    auto outbox = Outbox::Open(folder_.path() / "outbox");
    EXPECT_TRUE(outbox.ok()) << outbox.error().message;
    return std::move(outbox).value();
  }
  crypto::TempFolder folder_;
};

TEST_F(Outboxes, KeepsTheSealedBytesUntilTheAnswer) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  auto entry = Open().Get(Signal('a').id);
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->state(), OUTBOX_STATE_PREPARED);
  EXPECT_EQ(entry->envelope(), "sealed a");
  ASSERT_TRUE(outbox.Settle(Signal('a').id, Accepted('a')).ok());
  entry = Open().Get(Signal('a').id);
  EXPECT_EQ(entry->state(), OUTBOX_STATE_ANSWERED);
  EXPECT_TRUE(entry->envelope().empty());
  EXPECT_TRUE(entry->answer().has_accepted());
  EXPECT_EQ(entry->key(), "ref-1");
  EXPECT_EQ(entry->envelope_digest(), Bytes(32, 'a'));
}

TEST_F(Outboxes, AreReadableByTheirOwnerOnly) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_.path() / "outbox")) {
    EXPECT_EQ(static_cast<unsigned>(entry.status().permissions()) & 077u, 0u) << entry.path();
  }
  ASSERT_EQ(::chmod((folder_.path() / "outbox").c_str(), 0755), 0);
  EXPECT_EQ(Outbox::Open(folder_.path() / "outbox").error().reason, "FOLDER_OPEN");
}

TEST_F(Outboxes, GiveTheSameEntryForTheSameKeyAndInput) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  const auto again = outbox.FindByKey("ref-1", kInput);
  ASSERT_TRUE(again.ok() && again->has_value());
  EXPECT_EQ((*again)->signal_id(), Bytes(16, 'a'));
  // Somebody else sealed meanwhile: the first one holds.
  const auto second = outbox.Prepare(Signal('b'), "ref-1", kInput);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->signal_id(), Bytes(16, 'a'));
  EXPECT_EQ(outbox.List()->size(), 1u);
}

TEST_F(Outboxes, RefuseAKeyWithOtherInput) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  EXPECT_EQ(outbox.FindByKey("ref-1", kOther).error().reason, "KEY_REUSED");
  EXPECT_EQ(outbox.Prepare(Signal('b'), "ref-1", kOther).error().reason, "KEY_REUSED");
  ASSERT_TRUE(outbox.Settle(Signal('a').id, Accepted('a')).ok());
  EXPECT_EQ(outbox.FindByKey("ref-1", kOther).error().reason, "KEY_REUSED");
}

TEST_F(Outboxes, FreeAKeyOnlyWhenItsSignalWasTooOld) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  for (const char* passing : {"QUEUE_FULL", "KEY_SET_UNKNOWN", "EXPIRY_OUT_OF_RANGE"}) {
    const auto entry = outbox.Settle(Signal('a').id, Refused(passing));
    ASSERT_TRUE(entry.ok());
    EXPECT_EQ(entry->state(), OUTBOX_STATE_PREPARED) << passing;
    EXPECT_EQ(entry->envelope(), "sealed a") << passing;
    EXPECT_EQ(outbox.FindByKey("ref-1", kOther).error().reason, "KEY_REUSED") << passing;
  }
  const auto failed = outbox.Settle(Signal('a').id, Refused("CREATED_TOO_OLD"));
  EXPECT_EQ(failed->state(), OUTBOX_STATE_FAILED);
  EXPECT_TRUE(failed->envelope().empty());
  EXPECT_FALSE(outbox.FindByKey("ref-1", kOther)->has_value());
  ASSERT_TRUE(outbox.Prepare(Signal('b'), "ref-1", kOther).ok());
  EXPECT_EQ((*outbox.FindByKey("ref-1", kOther))->signal_id(), Bytes(16, 'b'));
}

TEST_F(Outboxes, EndASignalThatExpiredBeforeItWasTaken) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a', Now() - Millis(1)), "ref-1", kInput).ok());
  EXPECT_EQ(outbox.Settle(Signal('a').id, Refused("EXPIRY_OUT_OF_RANGE"))->state(),
            OUTBOX_STATE_FAILED);
}

TEST_F(Outboxes, KeepTheFirstFinalAnswer) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "", kInput).ok());
  ASSERT_TRUE(outbox.Settle(Signal('a').id, Accepted('a')).ok());
  const auto late = outbox.Settle(Signal('a').id, Refused("CREATED_TOO_OLD"));
  EXPECT_EQ(late->state(), OUTBOX_STATE_ANSWERED);
}

TEST_F(Outboxes, PurgeADayAfterExpiry) {
  auto outbox = Open();
  const Millis expires = Now();
  const Millis day(std::chrono::hours(24));
  ASSERT_TRUE(outbox.Prepare(Signal('a', expires), "ref-1", kInput).ok());
  ASSERT_TRUE(outbox.Prepare(Signal('b', expires + day), "ref-2", kInput).ok());
  EXPECT_EQ(*outbox.Purge(expires + day - Millis(1)), 0u);
  EXPECT_EQ(*outbox.Purge(expires + day), 1u);
  EXPECT_FALSE(outbox.Get(Signal('a').id).ok());
  EXPECT_FALSE(outbox.FindByKey("ref-1", kOther)->has_value());
  EXPECT_TRUE(outbox.FindByKey("ref-2", kInput)->has_value());
}

TEST_F(Outboxes, SayWhichFileIsDamaged) {
  auto outbox = Open();
  ASSERT_TRUE(outbox.Prepare(Signal('a'), "ref-1", kInput).ok());
  crypto::WriteText(folder_.path() / "outbox" / UuidText(Bytes(16, 'a')), "\xff\xff");
  EXPECT_EQ(outbox.FindByKey("ref-1", kInput).error().reason, "OUTBOX_DAMAGED");
}

// A child does the whole of a send and is killed at one step; the parent then looks at what is
// left, as the next run of the program would.
class KilledAt : public Outboxes, public testing::WithParamInterface<const char*> {};

TEST_P(KilledAt, LeavesAStateFromWhichTheSameKeyGoesOn) {
  const std::string step = GetParam();
  const auto file = folder_.path() / "sent";  // what the broker got
  const pid_t child = ::fork();
  if (child == 0) {
    auto outbox = Open();
    outbox.OnStep([&](std::string_view at) {
      if (at == step) ::_exit(9);
    });
    auto entry = outbox.Prepare(Signal('a'), "ref-1", kInput);
    if (!entry.ok()) ::_exit(1);
    crypto::WriteText(file, entry->envelope());
    if (!outbox.Settle(Signal('a').id, Accepted('a')).ok()) ::_exit(1);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), step == "never" ? 0 : 9);

  auto outbox = Open();
  const auto found = outbox.FindByKey("ref-1", kInput);
  ASSERT_TRUE(found.ok()) << found.error().message;
  const bool sent = std::filesystem::exists(file);
  if (step == "key written") {
    EXPECT_FALSE(sent);
    EXPECT_FALSE(found->has_value()) << "nothing was sent, so the key is free";
    const auto anew = outbox.Prepare(Signal('b'), "ref-1", kOther);
    ASSERT_TRUE(anew.ok());
    EXPECT_EQ(anew->signal_id(), Bytes(16, 'b'));
    return;
  }
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->signal_id(), Bytes(16, 'a')) << "never a second id under one key";
  EXPECT_EQ(outbox.FindByKey("ref-1", kOther).error().reason, "KEY_REUSED");
  if (step == "entry written" || step == "answer received") {
    EXPECT_EQ((*found)->state(), OUTBOX_STATE_PREPARED);
    EXPECT_EQ((*found)->envelope(), "sealed a") << "the same bytes go again";
    EXPECT_EQ(sent, step == "answer received");
    if (sent) {
      EXPECT_EQ(crypto::ReadText(file), (*found)->envelope());
    }
  } else {
    EXPECT_EQ((*found)->state(), OUTBOX_STATE_ANSWERED);
  }
}

INSTANTIATE_TEST_SUITE_P(EachStep, KilledAt,
                         testing::Values("key written", "entry written", "answer received",
                                         "entry settled", "never"));

TEST(Files, AreReplacedAsAWhole) {
  crypto::TempFolder folder;
  const auto file = folder.path() / "f";
  ASSERT_TRUE(WriteFileDurably(file, "old").ok());
  ASSERT_TRUE(WriteFileDurably(file, "new").ok());
  EXPECT_EQ(*ReadFile(file), "new");
  struct stat facts {};
  ASSERT_EQ(::stat(file.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  EXPECT_EQ(ReadFile(file, 2).error().reason, "TOO_LARGE");
  EXPECT_EQ(ReadFile(folder.path() / "none").error().reason, "FILE_MISSING");
  EXPECT_FALSE(ReadFileIfThere(folder.path() / "none")->has_value());
  EXPECT_FALSE(WriteFileDurably(folder.path() / "no" / "f", "x").ok());
  ASSERT_TRUE(RemoveFileDurably(file).ok());
  ASSERT_TRUE(RemoveFileDurably(file).ok());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 0);
}

TEST(FileLock, IsHeldByOneAtATime) {
  crypto::TempFolder folder;
  const auto file = folder.path() / ".lock";
  auto lock = FileLock::Acquire(file);
  ASSERT_TRUE(lock.ok());
  auto second = std::async(std::launch::async, [&] { return FileLock::Acquire(file).ok(); });
  EXPECT_EQ(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  { const FileLock gone = std::move(lock).value(); }
  EXPECT_TRUE(second.get());
}

}  // namespace
}  // namespace schakel::sdk
