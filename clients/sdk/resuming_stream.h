// What the streams of this library share: opened, read, and opened again with backoff when they
// break, until Close().
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>

#include "clients/sdk/connection.h"
#include "clients/sdk/status.h"

namespace schakel::sdk {

template <typename Request, typename Response>
struct ResumingStream {
  using Stream = grpc::ClientReaderWriter<Request, Response>;

  explicit ResumingStream(std::shared_ptr<Connection> to) : connection(std::move(to)) {}
  virtual ~ResumingStream() = default;

  // Returns when it was closed, or when what ended it can't be helped by trying again (`fatal`).
  void Read() {
    int attempt = 0;
    while (Stream* current = Begin()) {
      Response response;
      std::optional<Error> wrong;
      while (!wrong && current->Read(&response)) {
        attempt = 0;
        wrong = Take(response);
      }
      if (wrong) context->TryCancel();
      const grpc::Status status = End();
      if (!Continue(status, wrong, ++attempt)) return;
    }
  }

  // False when it was closed before.
  bool Close() {
    const std::lock_guard guard(mutex);
    if (closed) return false;
    closed = true;
    if (context) context->TryCancel();
    changed.notify_all();
    return true;
  }

  uint64_t reconnects() const {
    const std::lock_guard guard(mutex);
    return opened == 0 ? 0 : opened - 1;
  }

  // ---- What each stream does by itself ----
  virtual std::unique_ptr<Stream> Call(grpc::ClientContext* with) = 0;
  virtual Request FirstMessage() const = 0;
  // An Error: the other side's answer makes no sense. mutex not held.
  virtual std::optional<Error> Take(Response& response) = 0;
  // Nothing more comes on this stream. mutex held.
  virtual void Ended() = 0;

  const std::shared_ptr<Connection> connection;

  std::mutex write_mutex;          // held while writing; taken before `mutex`
  std::unique_ptr<Stream> stream;  // guarded by write_mutex for writers; null while there is none

  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::shared_ptr<grpc::ClientContext> context;
  uint64_t opened = 0;
  std::optional<Error> broke;  // how the last stream ended
  std::optional<Error> fatal;
  bool closed = false;

 private:
  // Opens a stream; null once closed.
  Stream* Begin() {
    auto fresh = std::make_shared<grpc::ClientContext>();
    connection->AddMetadata(*fresh);
    {
      const std::lock_guard guard(mutex);
      if (closed) return nullptr;
      context = fresh;
      // gRPC polls a channel only while a call waits on it: one that failed at once, again and
      // again, would never be connected anew.
      fresh->set_wait_for_ready(opened > 0);
      ++opened;
    }
    const std::lock_guard writing(write_mutex);
    stream = Call(fresh.get());
    stream->Write(FirstMessage());  // a failure shows at the first Read
    return stream.get();
  }

  grpc::Status End() {
    std::unique_ptr<Stream> ended;
    {
      const std::lock_guard writing(write_mutex);
      ended = std::move(stream);
    }
    const grpc::Status status = ended->Finish();
    const std::lock_guard guard(mutex);
    Ended();
    changed.notify_all();
    return status;
  }

  // Whether the stream is to be opened again, after a while.
  bool Continue(const grpc::Status& status, const std::optional<Error>& wrong, int attempt) {
    std::unique_lock guard(mutex);
    if (closed) return false;
    std::chrono::milliseconds delay(50);
    if (wrong || !status.ok()) {
      Error error = wrong ? *wrong : connection->Translate(status);
      if (wrong || EndsForGood(error.code)) {
        fatal = std::move(error);
        changed.notify_all();
        return false;
      }
      broke = error;
      error.code = ErrorCode::kUnavailable;  // any other end of a stream is worth another try
      delay = RetryDelay(error, attempt, 0.5).value_or(delay);
    }
    changed.wait_for(guard, delay, [&] { return closed; });
    return !closed;
  }
};

}  // namespace schakel::sdk
