#ifndef POSTRIDER_CIDN2_SHIM_H
#define POSTRIDER_CIDN2_SHIM_H

#include <idn2.h>

#endif
