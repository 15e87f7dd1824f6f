"""Operations sets: how addresses are found and checked."""
