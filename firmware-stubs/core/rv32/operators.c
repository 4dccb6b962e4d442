/* The table of operators of an RV32 build with every operator. */
#include "rows.h"

#include "../blocked/operator_table.h"
