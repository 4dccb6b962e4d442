/* The table of operators of an MVE build with every operator. */
#include "rows.h"

#include "../blocked/operator_table.h"
