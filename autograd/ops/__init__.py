"""Operations over arrays, one short function each, with their gradients. Nothing here knows Tensor."""
