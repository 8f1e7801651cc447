// A stream of pieces to a client, each made when the one before was taken.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "broker/base/result.h"
#include "broker/transport/call_guard.h"
#include "broker/transport/errors.h"

namespace schakel::transport {

// Keeps itself alive from Watch to OnDone.
template <typename Piece>
class PieceStream : public grpc::ServerWriteReactor<Piece>,
                    public std::enable_shared_from_this<PieceStream<Piece>> {
 public:
  void OnWriteDone(bool ok) override {
    if (ok) return WriteNext();
    End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the reader went away"));
  }
  void OnCancel() override {
    End(MakeError(ErrorCode::kCancelled, "CANCELLED", "the stream was cancelled"));
  }
  void OnDone() override { std::shared_ptr<PieceStream> last = std::move(self_); }

 protected:
  PieceStream(grpc::CallbackServerContext* context, StreamPass pass)
      : context_(context), pass_(std::move(pass)) {}

  // Once, when a shared_ptr holds it: from here on it ends when its pass does.
  void Watch() {
    self_ = this->shared_from_this();
    std::weak_ptr<PieceStream> weak = self_;
    pass_.Watch([weak](const Error& error) {
      auto alive = weak.lock();
      if (alive && alive->End(error)) CloseNow(alive->context_, error);
    });
  }
  const Caller& caller() const { return pass_.caller(); }
  // Writes the first piece; the others follow.
  void WriteNext() {
    Status failed;
    {
      std::lock_guard lock(mutex_);
      if (ended_) return;
      auto piece = Next();
      if (piece.ok() && *piece) {
        piece_ = **std::move(piece);
        this->StartWrite(&piece_);
        return;
      }
      if (!piece.ok()) failed = piece.error();
    }
    End(failed);
  }
  // False when it had ended already.
  bool End(const Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (ended_) return false;
      ended_ = true;
    }
    this->Finish(pass_.End(status));
    return true;
  }

 private:
  // nullopt at the end. Never called twice at a time.
  virtual Result<std::optional<Piece>> Next() = 0;

  grpc::CallbackServerContext* const context_;
  StreamPass pass_;
  std::shared_ptr<PieceStream> self_;

  std::mutex mutex_;  // guards what follows
  bool ended_ = false;
  Piece piece_;  // of the write in progress
};

}  // namespace schakel::transport
