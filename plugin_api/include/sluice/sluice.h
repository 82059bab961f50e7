// Everything a plugin needs, in one include.
#pragma once

#include "backend.h"
#include "config.h"
#include "consumer.h"
#include "event.h"
#include "host.h"
#include "module.h"
#include "source.h"
#include "types.h"
#include "writer.h"
