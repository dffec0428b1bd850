#ifndef POSTRIDER_CSASL_SHIM_H
#define POSTRIDER_CSASL_SHIM_H

#include <sasl/sasl.h>

#endif
