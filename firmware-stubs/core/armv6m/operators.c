/* The table of operators of a Cortex-M0 build with every operator. */
#include "rows.h"

#include "../blocked/operator_table.h"
