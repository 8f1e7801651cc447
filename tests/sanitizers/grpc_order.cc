// Makes the order that gRPC keeps visible to ThreadSanitizer. gRPC hands our objects from thread to
// thread under absl::Mutex, which sleeps on a futex itself, and over queues without locks; Debian
// ships both uninstrumented, so TSan sees no order where there is one. This library stands before
// absl and gRPC in the search order, calls what it stands before, and tells TSan. It adds orders
// that really are there, so it hides no race; only `started` is wider than what there is. Linked in
// the preset tsan only (cmake/Toolchain.cmake).
#include <absl/status/status.h>
#include <absl/synchronization/mutex.h>
#include <dlfcn.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

struct grpc_cq_completion;

namespace {

// The next library's function under this name. Looked up at the first call: there may be one before
// main.
template <typename Function>
class Real {
 public:
  explicit constexpr Real(const char* name) : name_(name) {}
  template <typename... Args>
  auto operator()(Args... args) {
    auto* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name_));
      if (function == nullptr) {
        std::fprintf(stderr, "no %s: is this another absl or gRPC than Debian 12's?\n", name_);
        std::abort();
      }
      function_.store(function, std::memory_order_relaxed);
    }
    return function(args...);
  }

 private:
  const char* const name_;
  std::atomic<Function*> function_{nullptr};
};

// Stands for the start of servers: what was made before may be used by every event after.
char started;

using absl::CondVar;
using absl::Mutex;

constinit Real<void(Mutex*)> real_lock("_ZN4absl7debian35Mutex4LockEv");
constinit Real<void(Mutex*)> real_unlock("_ZN4absl7debian35Mutex6UnlockEv");
constinit Real<bool(Mutex*)> real_try_lock("_ZN4absl7debian35Mutex7TryLockEv");
constinit Real<void(Mutex*)> real_reader_lock("_ZN4absl7debian35Mutex10ReaderLockEv");
constinit Real<void(Mutex*)> real_reader_unlock("_ZN4absl7debian35Mutex12ReaderUnlockEv");
constinit Real<void(absl::ReleasableMutexLock*)> real_release(
    "_ZN4absl7debian319ReleasableMutexLock7ReleaseEv");
constinit Real<void(CondVar*, Mutex*)> real_wait("_ZN4absl7debian37CondVar4WaitEPNS0_5MutexE");
constinit Real<bool(CondVar*, Mutex*, absl::Duration)> real_wait_with_timeout(
    "_ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
constinit Real<bool(CondVar*, Mutex*, absl::Time)> real_wait_with_deadline(
    "_ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");

using grpc::internal::ServerCallbackCall;

constinit Real<grpc_call_error(grpc_call*, const grpc_op*, size_t, void*, void*)> real_start_batch(
    "grpc_call_start_batch");
constinit Real<void(grpc_completion_queue*, void*, absl::Status,
                    void (*)(void*, grpc_cq_completion*), void*, grpc_cq_completion*, bool)>
    real_end_op(
        "_Z14grpc_cq_end_opP21grpc_completion_queuePvN4absl7debian36StatusEPFvS1_P18grpc_cq_"
        "completionES1_S6_b");
constinit Real<void(grpc_server*)> real_server_start("grpc_server_start");
constinit Real<int(grpc_byte_buffer_reader*, grpc_slice**)> real_peek(
    "grpc_byte_buffer_reader_peek");
constinit Real<grpc_event(grpc_completion_queue*, gpr_timespec, void*)> real_next(
    "grpc_completion_queue_next");
constinit Real<grpc_event(grpc_completion_queue*, void*, gpr_timespec, void*)> real_pluck(
    "grpc_completion_queue_pluck");
constinit Real<void(ServerCallbackCall*, bool)> real_schedule_on_done(
    "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
constinit Real<void(ServerCallbackCall*, grpc::internal::ServerReactor*)> real_call_on_cancel(
    "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE");

}  // namespace

// From the start of a batch of operations, and from the thread that ends it, which may be that of
// the other side in the same process, to whoever takes the event that tells of its end.
extern "C" grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops,
                                                 void* tag, void* reserved) {
  for (size_t i = 0; i < nops; ++i) {
    if (ops[i].op != GRPC_OP_SEND_MESSAGE) continue;
    const grpc_byte_buffer* message = ops[i].data.send_message.send_message;
    if (message == nullptr || message->type != GRPC_BB_RAW) continue;
    const grpc_slice_buffer& pieces = message->data.raw.slice_buffer;
    for (size_t p = 0; p < pieces.count; ++p) {
      __tsan_release(GRPC_SLICE_START_PTR(pieces.slices[p]));
    }
  }
  __tsan_release(tag);
  return real_start_batch(call, ops, nops, tag, reserved);
}

void grpc_cq_end_op(grpc_completion_queue* cq, void* tag, absl::Status error,
                    void (*done)(void* argument, grpc_cq_completion* storage), void* argument,
                    grpc_cq_completion* storage, bool internal) {
  __tsan_release(tag);
  real_end_op(cq, tag, error, done, argument, storage, internal);
}

extern "C" void grpc_server_start(grpc_server* server) {
  __tsan_release(&started);
  real_server_start(server);
}

// Within a process the reader is given the very bytes that were sent.
extern "C" int grpc_byte_buffer_reader_peek(grpc_byte_buffer_reader* reader, grpc_slice** piece) {
  const int there = real_peek(reader, piece);
  if (there != 0) __tsan_acquire(GRPC_SLICE_START_PTR(**piece));
  return there;
}

extern "C" grpc_event grpc_completion_queue_next(grpc_completion_queue* cq, gpr_timespec deadline,
                                                 void* reserved) {
  const grpc_event event = real_next(cq, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) {
    __tsan_acquire(event.tag);
    __tsan_acquire(&started);
  }
  return event;
}

extern "C" grpc_event grpc_completion_queue_pluck(grpc_completion_queue* cq, void* tag,
                                                  gpr_timespec deadline, void* reserved) {
  const grpc_event event = real_pluck(cq, tag, deadline, reserved);
  if (event.type == GRPC_OP_COMPLETE) __tsan_acquire(tag);
  return event;
}

// The handler of methods that nobody knows, which libgrpc++ has inside, instrumented.
template class grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>;

// Whoever counts a call's last reference down, also inside gRPC, comes after all who counted
// before.
namespace grpc::internal {

void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  __tsan_acquire(&callbacks_outstanding_);
  real_schedule_on_done(this, inline_ondone);
}

// gRPC calls OnCancel on a thread of its own and counts down behind it, where nobody sees it.
void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  class Counted final : public ServerReactor {
   public:
    Counted(ServerReactor* reactor, void* count) : reactor_(reactor), count_(count) {}
    void OnCancel() override {
      reactor_->OnCancel();
      __tsan_release(count_);
      delete this;  // gRPC calls nothing else of what it cancels
    }
    void OnDone() override {}

   private:
    ServerReactor* const reactor_;
    void* const count_;
  };
  __tsan_acquire(&on_cancel_conditions_remaining_);
  real_call_on_cancel(this, new Counted(reactor, &callbacks_outstanding_));
}

}  // namespace grpc::internal

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  real_lock(this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  __tsan_release(this);
  real_unlock(this);
}

bool Mutex::TryLock() {
  const bool locked = real_try_lock(this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  real_reader_lock(this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  __tsan_release(this);
  real_reader_unlock(this);
}

void ReleasableMutexLock::Release() {
  __tsan_release(mu_);
  real_release(this);
}

void CondVar::Wait(Mutex* mu) {
  __tsan_release(mu);
  real_wait(this, mu);
  __tsan_acquire(mu);
}

bool CondVar::WaitWithTimeout(Mutex* mu, absl::Duration timeout) {
  __tsan_release(mu);
  const bool expired = real_wait_with_timeout(this, mu, timeout);
  __tsan_acquire(mu);
  return expired;
}

bool CondVar::WaitWithDeadline(Mutex* mu, absl::Time deadline) {
  __tsan_release(mu);
  const bool expired = real_wait_with_deadline(this, mu, deadline);
  __tsan_acquire(mu);
  return expired;
}

ABSL_NAMESPACE_END
}  // namespace absl
