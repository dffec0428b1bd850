#ifndef POSTRIDER_CUNBOUND_SHIM_H
#define POSTRIDER_CUNBOUND_SHIM_H

#include <unbound.h>

#endif
