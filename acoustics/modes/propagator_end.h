#undef lane
#undef pair
#undef matrix
#undef NAME
#undef WIDTH
