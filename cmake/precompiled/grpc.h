// The same for files that speak gRPC.
#pragma once

#include "messages.h"

#include <grpcpp/grpcpp.h>

#include "schakel/v1/audit.grpc.pb.h"
#include "schakel/v1/consent.grpc.pb.h"
#include "schakel/v1/directory.grpc.pb.h"
#include "schakel/v1/inbox.grpc.pb.h"
#include "schakel/v1/policy.grpc.pb.h"
#include "schakel/v1/signal.grpc.pb.h"
