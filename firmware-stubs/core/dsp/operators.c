/* The table of operators of a Cortex-M4F, M7 or M33 build with every operator. */
#include "rows.h"

#include "../blocked/operator_table.h"
