// The same for tests.
#pragma once

#include "grpc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
